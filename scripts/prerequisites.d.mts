export function lacks(env?: Record<string, string | undefined>): { programs: string[]; mends: string[] };
