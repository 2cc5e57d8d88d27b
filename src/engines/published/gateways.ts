/** Where the published parameters can be had: addresses that serve a file under its content ID. */
import { UserError } from '../../user-error.js';

/**
 * lotus's own gateway has been proofs.filecoin.io, which is moving to the one of ChainSafe (ChainSafe/forest issue 7639,
 * 2026): that first, the old one where it does not answer. None is trusted: what counts is the digest.
 */
const DEFAULT_GATEWAYS = ['https://filecoin-proofs.chainsafe.dev/ipfs/', 'https://proofs.filecoin.io/ipfs/'];

/**
 * The gateways to try, in this order. `IPFS_GATEWAY` means the same as in lotus: it replaces them, as a host that is
 * pointed at a mirror of its own must not ask anybody else. A slash at its end may be missing.
 *
 * @throws UserError when the variable is no address
 */
export function gateways(configured = process.env['IPFS_GATEWAY']): string[] {
  if (!configured) return DEFAULT_GATEWAYS;
  const url = URL.canParse(configured) ? new URL(configured) : undefined;
  // `fetch` refuses an address with a name and password in it.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new UserError('IPFS_GATEWAY is not an http or https address without a password', {
      hint: `it looks like ${DEFAULT_GATEWAYS[0]}; the content ID of a file is appended`,
    });
  }
  return [configured.endsWith('/') ? configured : `${configured}/`];
}

/** A gateway will not serve the file, however often it is asked. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The addresses of one file. Those that refuse it drop out. */
export class Sources {
  private readonly urls: string[];

  constructor(gateways: readonly string[], cid: string) {
    this.urls = gateways.map((gateway) => `${gateway}${cid}`);
  }

  get url(): string {
    return this.urls[0] ?? '';
  }

  /** Moves on to the next one; of a single one back to itself. */
  next(): void {
    const [first] = this.urls.splice(0, 1);
    if (first !== undefined) this.urls.push(first);
  }

  /** Drops the present one. @returns whether there is another */
  drop(): boolean {
    this.urls.shift();
    return this.urls.length > 0;
  }
}
