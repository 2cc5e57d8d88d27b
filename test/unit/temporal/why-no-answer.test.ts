/** Each wrong way to connect to Temporal has its own line, with the cause and the mend. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connectServer } from '../../../src/temporal/connect/client.js';
import { targetOf, type Target, type Tls } from '../../../src/temporal/connect/target.js';
import { whyNoAnswer } from '../../../src/temporal/connect/why-no-answer.js';
import { freePort } from '../../../src/temporal/embedded/ports.js';
import {
  AUTHORITY,
  busyAtFirst,
  closing,
  grpcStatus,
  http1,
  http2NotFound,
  pair,
  silent,
  ssh,
  STRANGER,
  tlsInFront,
} from '../../helpers/listeners.js';

/** Enough to be behind TLS, though no Temporal server says that. */
const grpc = (): Promise<number> => grpcStatus(13, 'overloaded');
const behind = async (options: Parameters<typeof tlsInFront>[1]): Promise<number> =>
  tlsInFront(await grpc(), options);
const serverOf = (name: string) => () => behind(pair(name));
/** A server that takes only clients with a certificate of the authority. */
const mutual =
  (more: object = {}) =>
  () =>
    behind({ ...pair('server'), ca: AUTHORITY, requestCert: true, ...more });
const knows: Tls = { serverRootCACertificate: AUTHORITY };
const shows = (name: string): Tls => {
  const { cert: crt, key } = pair(name);
  return { ...knows, clientCertPair: { crt, key } };
};
const junk = Buffer.from('junk');

const OWN = 'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or tls in the profile)';
const AUTHORITY_FILE = 'TEMPORAL_TLS_SERVER_CA_CERT_PATH';
const PLACE = 'set scheduler_url (or TEMPORAL_ADDRESS) to the Temporal frontend, usually port 7233';
const NO_SERVER = 'no Temporal server answers at ADDRESS: ';
const OLD = "ADDRESS answers HTTP, but not Temporal's gRPC: is it the old scheduler?";
const NOT_TRUSTED =
  'the certificate of ADDRESS, issued by authority, is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)';
/** All that the SDK says of most of these. */
const LATE = new Error('the deadline has passed');

type Port = () => Promise<number>;
/** What is there, its port, our TLS; then message, hint, exit code. */
type Way = [string, Port, Tls | undefined, string, string, number];

const target = (port: number, more: Partial<Target> = {}): Target => ({
  address: `127.0.0.1:${port}`,
  host: '127.0.0.1',
  port,
  namespace: 'default',
  ...more,
});

const told = (error: unknown, { address }: Target): unknown[] => {
  const { message, hint, exitCode } = error as { message: string; hint?: string; exitCode?: number };
  return [message.replaceAll(address, 'ADDRESS'), hint, exitCode];
};

describe('what listens there', () => {
  const START = 'start one, or set TEMPORAL_ADDRESS';
  const WANTS_OURS = 'ADDRESS demands a client certificate';
  const ENDS = `${NO_SERVER}it ends each connection at once`;
  const ways: Way[] = [
    [
      'nothing',
      () => freePort('127.0.0.1'),
      undefined,
      `${NO_SERVER}nothing listens there (ECONNREFUSED)`,
      START,
      1,
    ],
    [
      'something silent',
      silent,
      undefined,
      `${NO_SERVER}it accepts connections and says nothing`,
      'look at its log; a firewall or a proxy in between?',
      1,
    ],
    ['what ends each connection', closing, undefined, ENDS, 'look at its log: is it still starting?', 1],
    ['what speaks another language', ssh, undefined, ENDS, 'look at its log: is it still starting?', 1],
    ['the old scheduler', http1, undefined, OLD, PLACE, 2],
    ['the old scheduler, asked with TLS', http1, true, OLD, PLACE, 2],
    [
      'TLS, asked without',
      serverOf('server'),
      undefined,
      'ADDRESS expects TLS, and none is set here',
      `set TEMPORAL_TLS=true (or https in scheduler_url), and ${AUTHORITY_FILE} for a certificate authority of your own`,
      2,
    ],
    [
      'no TLS, asked with',
      grpc,
      knows,
      'ADDRESS speaks no TLS, which is set here',
      'write http in scheduler_url, or TEMPORAL_TLS=false; and take tls out of the profile in temporal.toml',
      2,
    ],
    [
      'a certificate of an unknown authority',
      serverOf('server'),
      true,
      NOT_TRUSTED,
      `set ${AUTHORITY_FILE} to the certificate of the authority that issued it`,
      2,
    ],
    [
      'a certificate of another authority than the given one',
      serverOf('server'),
      { serverRootCACertificate: STRANGER },
      NOT_TRUSTED,
      `${AUTHORITY_FILE} (server_ca_cert_path in the profile) is not the authority that issued it`,
      2,
    ],
    [
      'a certificate for another name',
      serverOf('elsewhere'),
      knows,
      'ADDRESS has a certificate for another name: DNS:temporal.example',
      'set TEMPORAL_TLS_SERVER_NAME to that name, or use it as the address',
      2,
    ],
    [
      'a certificate that has expired',
      serverOf('expired'),
      knows,
      'the certificate of ADDRESS was valid until Feb  1 00:00:00 2024 GMT',
      'renew it at the server',
      1,
    ],
    [
      'a certificate of the future',
      serverOf('future'),
      knows,
      'the certificate of ADDRESS is valid from Jan  1 00:00:00 2124 GMT',
      'compare the clocks of both hosts',
      1,
    ],
    ['who wants our certificate', mutual(), knows, WANTS_OURS, `set ${OWN}`, 2],
    ['the same with TLS 1.2', mutual({ maxVersion: 'TLSv1.2' }), knows, WANTS_OURS, `set ${OWN}`, 2],
    [
      'who does not know our certificate',
      mutual(),
      shows('unknown'),
      ENDS,
      'look at its log: it may not accept the client certificate',
      1,
    ],
    [
      'who gets a certificate that is none',
      mutual(),
      { ...knows, clientCertPair: { crt: junk, key: junk } },
      'the certificate or key for ADDRESS cannot be used: error:0480006C:PEM routines::no start line',
      `PEM files, the key that of the certificate: ${OWN}`,
      2,
    ],
    ...(
      [
        ['the right authority', serverOf('server'), knows],
        ['the right name', serverOf('elsewhere'), { ...knows, serverNameOverride: 'temporal.example' }],
        ['the right client certificate', mutual(), shows('client')],
      ] satisfies [string, Port, Tls][]
    ).map(([what, port, tls]): Way => [
      `HTTP/2 behind TLS, with ${what}`,
      port,
      tls,
      `${NO_SERVER}${LATE.message}`,
      'look at its log; what listens there speaks HTTP/2, as Temporal does',
      1,
    ]),
  ];
  test.for(ways)('%s', async ([, port, tls, ...says]) => {
    const at = target(await port(), tls === undefined ? {} : { tls });
    expect(told(await whyNoAnswer(at, LATE), at)).toEqual(says);
  });

  test('a name that nobody knows', async () => {
    const host = 'no-such-host.invalid';
    const at = { ...target(7233), host, address: `${host}:7233` };
    const why = /ADDRESS: its name (is not known \(ENOTFOUND\)|cannot be looked up now \(EAI_AGAIN\))$/;
    expect(told(await whyNoAnswer(at, LATE), at)).toEqual([
      expect.stringMatching(why),
      'correct the name in scheduler_url or TEMPORAL_ADDRESS, or the name server',
      1,
    ]);
  });
});

describe('a server that answers refuses', () => {
  const KEY =
    'set TEMPORAL_API_KEY, or api_key in the profile; or the client certificate that the server knows';
  const unauthorized =
    (status: number): Port =>
    () =>
      grpcStatus(status, 'Request unauthorized.');
  const ways: [string, Port, string | undefined, string, string][] = [
    [
      'a call without an API key',
      unauthorized(16),
      undefined,
      'ADDRESS demands an API key: Request unauthorized.',
      KEY,
    ],
    ['an API key', unauthorized(16), 'wrong', 'ADDRESS refuses the API key: Request unauthorized.', KEY],
    [
      'access to the namespace',
      unauthorized(7),
      undefined,
      'ADDRESS gives no access to namespace default: Request unauthorized.',
      'use the API key or the client certificate of somebody who may, or another TEMPORAL_NAMESPACE',
    ],
    [
      'all, as it is no Temporal',
      http2NotFound,
      undefined,
      'ADDRESS answers HTTP/2, but is not Temporal: Received HTTP status code 404',
      PLACE,
    ],
  ];
  test.for(ways)('%s', async ([, port, apiKey, ...says]) => {
    const at = target(await port(), apiKey === undefined ? {} : { apiKey });
    const error: unknown = await connectServer(at).catch((reason: unknown) => reason);
    expect(told(error, at)).toEqual([...says, 2]);
  });
});

test('a server that speaks HTTP/2 and does not answer at once is busy, and is asked once more', async () => {
  const client = await connectServer(target(await busyAtFirst()));
  await client.connection.close();
});

test('a proxy is named when it is why no server answers', async () => {
  const proxy = await freePort('127.0.0.1');
  vi.stubEnv('grpc_proxy', `http://127.0.0.1:${proxy}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const at = targetOf({ address: 'temporal.example:7233' });
  expect(told(await whyNoAnswer(at, LATE), at)).toEqual([
    `${NO_SERVER}the proxy 127.0.0.1:${proxy} of grpc_proxy does not answer: nothing listens there (ECONNREFUSED)`,
    'unset grpc_proxy, or add temporal.example to no_proxy, if the server is reached without it',
    1,
  ]);
});
