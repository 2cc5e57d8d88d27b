/** What `sealflow message` prints for people; the last line is the command that sends it. */
import { sectorOf } from '../../sector.js';
import { rangesOf } from '../arguments.js';
import type { MessageForm } from './form.js';

/** More of the same kind say no more. */
const SHOWN_REQUESTS = 4;

export function describeMessage({
  sectors,
  to,
  method,
  methodName,
  params,
  landBy,
  value,
}: MessageForm): string {
  const requests = value.ask.map((one) => `    ${one.method} ${JSON.stringify(one.params)}`);
  const isLong = requests.length > SHOWN_REQUESTS;
  const expirations = expirationsOf(params.decoded);
  return [
    `${methodName} of ${rangesOf(sectors.map(sectorOf))}: method ${method} of ${to}`,
    ...(landBy === undefined ? [] : [`  to be on chain by epoch ${landBy}: later its ticket is too old`]),
    ...(expirations ? [`  expires at epoch ${expirations}`] : []),
    `  value: ${value.is}. A node tells them, in attoFIL:`,
    ...(isLong ? [...requests.slice(0, 2), '    …', ...requests.slice(-2)] : requests),
    `  params: ${params.hex.length / 2} bytes, in hex in the line that sends them. FROM is the miner's worker, owner or a control address,`,
    '  VALUE in FIL, or in attoFIL with afil behind it:',
    `lotus send --from FROM --method ${method} --params-hex ${params.hex} ${to} VALUE`,
  ].join('\n');
}

/** Of a pre-commit: `5755200`, or `5755200 to 5755260` where tickets are of different epochs. */
function expirationsOf(decoded: MessageForm['params']['decoded']): string | undefined {
  const { Sectors: sectors } = decoded as { Sectors?: { Expiration: number }[] };
  if (!sectors) return undefined;
  const epochs = sectors.map(({ Expiration }) => Expiration);
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)];
  return first === last ? String(first) : `${first} to ${last}`;
}
