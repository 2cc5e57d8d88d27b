export interface Result {
  passed: number;
  failed: number;
  skipped: number;
  said: string;
}

export function keptResult(
  directory: string,
  name: string,
  dependsOn: readonly unknown[],
  make: () => Promise<Result>,
  options?: { anew?: boolean },
): Promise<Result>;
