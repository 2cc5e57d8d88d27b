/**
 * `doctor --print-tc`: a rate limit for reads of the P2 to P4 hosts from the P1 host. `copy_limit_mb_per_sec` limits
 * only copies, which sealflow paces itself; layers are read by the kernel. The limit applies to egress on the P1 host,
 * where packets are queued; on the reader's side (ingress) they could only be dropped.
 */
import { isIPv6 } from 'node:net';

export interface TrafficLimit {
  /** Network interface of the P1 host that faces the others. */
  interface: string;
  /** `10.10.10.0/24` */
  clients: string;
  /** MB (10^6 bytes) per second for all of them together. */
  mbPerSec: number;
}

const NFS_PORT = 2049;
/** Burst in ms at full rate: must cover a timer tick, or the rate is not reached. */
const BURST_MS = 10;
const MIN_BURST = 65_536;

export function printTc({ interface: device, clients, mbPerSec }: TrafficLimit): string {
  const rate = `${Math.round(mbPerSec * 8000)}kbit`;
  const burst = Math.max(MIN_BURST, Math.round(mbPerSec * 1e3 * BURST_MS));
  const [protocol, ip] = isIPv6(clients.split('/', 1)[0] ?? '') ? ['ipv6', 'ip6'] : ['ip', 'ip'];
  return [
    `# On the P1 host, as root: NFS to ${clients} at ${mbPerSec} MB/s in total; other traffic is not limited.`,
    `# It replaces the interface's queueing discipline, and is lost at reboot (put it into a unit). To remove it:`,
    `#   tc qdisc del dev ${device} root`,
    `tc qdisc del dev ${device} root 2>/dev/null || true`,
    `tc qdisc add dev ${device} root handle 1: htb default 0`,
    `tc class add dev ${device} parent 1: classid 1:10 htb rate ${rate} burst ${burst} cburst ${burst} quantum 60000`,
    `tc filter add dev ${device} parent 1: protocol ${protocol} prio 1 u32 \\`,
    `  match ${ip} protocol 6 0xff match ${ip} sport ${NFS_PORT} 0xffff match ${ip} dst ${clients} flowid 1:10`,
    `# Shares the rate fairly between hosts, if the kernel has fq_codel:`,
    `tc qdisc add dev ${device} parent 1:10 handle 10: fq_codel || true`,
  ].join('\n');
}
