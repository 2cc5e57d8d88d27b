/** What is wrong with a config.toml, in a line: the key, its value, what is allowed, and an example. */
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';

/** As TOML. */
const EXAMPLES: Readonly<Record<string, string>> = {
  scheduler_url: '"http://10.10.19.17:7233"',
  local_dir: '"/sealer"',
  copy_limit_mb_per_sec: '500',
  copy_limit_total_mb_per_sec: '800',
  group_id: '[1]',
  sector_size: '34359738368',
  ip: '"10.10.19.17"',
  'storage-nodes': '["/mnt/nfs/10.10.4.23"]',
  allow_system_disk: 'true',
  num: '1',
  supported_phase: '["PreCommitPhase1"]',
  wait_sec: '60',
  command: '["/opt/sealflow/sealflow-engine"]',
  reserved_cores: '2',
  p1_cores: '4',
  p1_cores_per_sector: '4',
  environment: '{ RUST_LOG = "info" }',
  after: '"landed"',
  listen: '"0.0.0.0:9090"',
  network: '"mainnet"',
  genesis: '2020-08-24T22:00:00Z',
  epoch_seconds: '30',
  'chain.command': '["/opt/own/chain"]',
  lotus_api: '"http://10.0.0.5:1234/rpc/v1"',
  token_file: '"/etc/sealflow/lotus.token"',
  timeout_sec: '30',
  confidence: '6',
};

/** What TOML calls the types of the schema. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table',
  record: 'a table',
};

/** @param known keys by section; '' is the top */
export function explainIssue(
  issue: z.core.$ZodIssue,
  known: Readonly<Record<string, readonly string[]>>,
): string {
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1);
  const example = exampleOf(issue.path);
  const must = (what: string): string => `${path} = ${shown(issue.input)}: must ${what}${example}`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, String(issue.path[0] ?? ''), known)).join('; ');
    case 'invalid_value':
      return `${path} = ${shown(issue.input)}: must be one of ${issue.values.join(', ')}${suggestion(String(issue.input), issue.values.map(String))}`;
    case 'invalid_type': {
      const type = TYPES[issue.expected] ?? issue.expected;
      return issue.input === undefined ? `${path} is missing: ${type}${example}` : must(`be ${type}`);
    }
    case 'too_small':
      if (issue.origin === 'string') return must('not be empty');
      if (issue.origin === 'array') return must(`have ${issue.minimum} or more`);
      return must(issue.inclusive ? `be ${issue.minimum} or more` : `be more than ${issue.minimum}`);
    case 'too_big':
      return must(`be ${issue.maximum} or less`);
    default:
      return `${path} = ${shown(issue.input)}: ${issue.message}`;
  }
}

function exampleOf(path: readonly PropertyKey[]): string {
  const key = String(path.findLast((part) => EXAMPLES[String(part)] !== undefined) ?? '');
  return key === '' ? '' : `, like ${key} = ${EXAMPLES[path.join('.')] ?? EXAMPLES[key]}`;
}

/** TOML has no end of a table: a key that is added at the end of the file belongs to the last one. */
function unknownKey(
  path: string,
  key: string,
  section: string,
  known: Readonly<Record<string, readonly string[]>>,
): string {
  const name = `unknown key ${path ? `${path}.` : ''}${key}`;
  const own = known[section] ?? [];
  const home = Object.keys(known).find((other) => other !== section && known[other]?.includes(key));
  if (home === '') return `${name}: it belongs at the top of the file, above the first [table] or [[worker]]`;
  if (home !== undefined)
    return `${name}: it belongs below ${home === 'worker' ? '[[worker]]' : `[${home}]`}`;
  return `${name}${suggestion(key, own)}; known: ${own.join(', ')}`;
}

/** Without passwords in addresses, and what follows their question marks. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'bigint'
      ? String(item)
      : typeof item === 'string'
        ? item.replace(/^(\w+:\/\/)[^/]*@/, '$1…@').replace(/^(\w+:\/\/[^?]*\?).*/, '$1…')
        : item,
  );

function suggestion(given: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, far: distance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)[0];
  return near && near.far <= Math.max(2, near.name.length / 3) ? ` (did you mean ${near.name}?)` : '';
}
