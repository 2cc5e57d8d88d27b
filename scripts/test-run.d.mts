export function beginTestRun(): void;
export function undoAfterRun(...command: [program: string, ...args: string[]]): void;
