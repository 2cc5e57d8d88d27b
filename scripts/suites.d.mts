export const TOGETHER: readonly { names: readonly string[]; files: number }[];
export function suiteOf(project: string): string;
