interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
export function executables(messages: string): { engine: string; tests: string[] };
export function outcome(ran: { status: number; said: string }): Counts;
export function removeUnused(directory: string, days: number): Promise<void>;
