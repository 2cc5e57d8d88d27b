/** Amounts as people read them. GB = 10^9 bytes, as disks are sold. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;
