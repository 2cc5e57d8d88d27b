/** Whether a receipt can be believed so far that an engine may be sent to look at what it names. */
import { dirname, join } from 'node:path';
import { finalName, receiptSchema, type Receipt } from '../storage/receipt.js';
import { ENGINE_PROTOCOL } from '../engines/protocol.js';
import { refuseNewer } from '../contract.js';
import { ifPresent, readJson } from '../files.js';
import { lstat } from '../mounts/remote-fs.js';
import { isPlainName, retainedFiles, stored } from '../paths.js';
import { sectorName, type SectorId } from '../sector.js';
import type { StoredCopy } from './nodes.js';
import type { CheckResult } from './report.js';
import { UnreadableError } from './unreadable.js';

/** A receipt has a few kilobytes; whatever is larger is none, and is not read. */
const MAX_BYTES = 1_048_576;

/** A receipt, or what is wrong with it. */
export type InspectedReceipt = { receipt: Receipt } | { wrong: CheckResult };

/**
 * Reads a sector's receipt, and sees to it that nothing it names can lie outside of the sector's own files.
 * @throws what {@link unreadableReason} knows
 */
export async function inspectReceipt({ sector, node }: StoredCopy): Promise<InspectedReceipt> {
  const name = stored.receipt(sector);
  const wrong = (found: string): InspectedReceipt => ({
    wrong: { name: 'receipt', ok: false, found: `${name} ${found}` },
  });
  const file = await ifPresent(lstat(join(node, name)));
  // Its name was seen. That it is not there now tells more of the node than of the sector.
  if (!file)
    throw new UnreadableError(`${join(node, name)} is not there any more: is the node still mounted?`);
  if (file.isSymbolicLink()) return wrong('is a symbolic link, which is not followed');
  if (!file.isFile()) return wrong('is no plain file');
  if (file.size > MAX_BYTES) return wrong(`is no receipt: it has ${file.size} bytes`);
  const json = await readReceiptJson(join(node, name));
  if (json instanceof SyntaxError) return wrong('is no JSON');
  refuseNewer(join(node, name), json, ENGINE_PROTOCOL);
  const { data: receipt, error } = receiptSchema.safeParse(json);
  if (!receipt) {
    const issues = error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
    return wrong(`is no receipt: ${issues.join('; ')}`);
  }
  const lie = whatIsWrong(receipt, sector);
  if (lie !== undefined) return wrong(lie);
  const link = await linkedDirectory(node, sector);
  return link
    ? { wrong: { name: link, ok: false, found: `${link} is no directory of its own` } }
    : { receipt };
}

const readReceiptJson = (path: string): Promise<unknown> =>
  readJson(path).catch((error: unknown) => {
    if (error instanceof SyntaxError) return error;
    throw error;
  });

/** The names that a receipt may give: each once, and all that are kept of a sector of its size. */
function whatIsWrong({ sector: own, size, files }: Receipt, sector: SectorId): string | undefined {
  if (own !== sectorName(sector)) return `is of ${own}`;
  const names = files.map(({ name }) => name);
  const foreign = names.find((name) => !isOwn(sector, name));
  if (foreign !== undefined) return `names ${JSON.stringify(foreign)}, which is no file of ${own}`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `names ${twice} twice`;
  const missing = retainedFiles(size).find((name) => !names.includes(finalName(sector, name)));
  return missing === undefined ? undefined : `does not name ${finalName(sector, missing)}`;
}

function isOwn(sector: SectorId, name: string): boolean {
  const cache = `${stored.cache(sector)}/`;
  return name === stored.sealed(sector) || (name.startsWith(cache) && isPlainName(name.slice(cache.length)));
}

/** A directory on the way to the sector's files that is a link and could lead out of the node; one that is missing is none. */
async function linkedDirectory(node: string, sector: SectorId): Promise<string | undefined> {
  const cache = stored.cache(sector);
  for (const name of [dirname(stored.sealed(sector)), dirname(cache), cache]) {
    const found = await ifPresent(lstat(join(node, name)));
    if (found && !found.isDirectory()) return name;
  }
  return undefined;
}
