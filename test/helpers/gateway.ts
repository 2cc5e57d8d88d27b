/** A gateway of published files on loopback, which does wrong what a test wants. */
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.js';

export interface Asked {
  cid: string;
  range: string | undefined;
  ifRange: string | string[] | undefined;
}

/** Answers one request for a file. */
export type Answer = (response: ServerResponse, file: Buffer, from: number) => void;

export class Gateway {
  readonly asked: Asked[] = [];
  /** For the next requests, one each; afterwards, and where it is undefined, {@link always}. */
  next: (Answer | undefined)[] = [];
  always: Answer = rest();
  private port = 0;

  private constructor(private readonly files: ReadonlyMap<string, Buffer>) {}

  /** @param files by content ID. The server ends with the test. */
  static async start(files: Iterable<readonly [string, Buffer]>): Promise<Gateway> {
    const gateway = new Gateway(new Map(files));
    const server = createServer((request, response) => gateway.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    gateway.port = (server.address() as AddressInfo).port;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/ipfs/`;
  }

  private answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const cid = url.replace('/ipfs/', '');
    const { range, 'if-range': ifRange } = headers;
    this.asked.push({ cid, range, ifRange });
    const file = this.files.get(cid);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (!file) status(404)(response, Buffer.alloc(0), 0);
    else (this.next.shift() ?? this.always)(response, file, from);
  }
}

/** 206 or 200, with the headers for the bytes from `from` on. */
function begin(response: ServerResponse, { length }: Buffer, from: number, headers: object = {}): void {
  const range = from > 0 ? { 'content-range': `bytes ${from}-${length - 1}/${length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': length - from, ...range, ...headers });
}

/** As it should be. @param headers more of them */
export const rest =
  (headers: object = {}): Answer =>
  (response, file, from) => {
    if (from >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    begin(response, file, from, headers);
    response.end(file.subarray(from));
  };

/**
 * Sends `bytes`, and closes the connection when they have arrived in the file `part`: a client drops what it has not yet
 * read when the connection ends.
 */
export const breakOff =
  (part: string, bytes: number, headers: object = {}): Answer =>
  (response, file, from) => {
    begin(response, file, from, headers);
    response.write(file.subarray(from, from + bytes));
    const arrived = (): boolean => existsSync(part) && statSync(part).size >= from + bytes;
    void eventually(arrived).then(() => response.destroy());
  };

/** Sends `bytes`, then nothing any more. */
export const stall =
  (bytes: number): Answer =>
  (response, file, from) => {
    begin(response, file, from);
    response.write(file.subarray(from, from + bytes));
  };

/** The whole file, whatever was asked for. */
export const ignoreRange: Answer = (response, file) => rest()(response, file, 0);

/** Other bytes of the right length. */
export const lie: Answer = (response, file, from) => rest()(response, Buffer.alloc(file.length, 'x'), from);

/** As if the file were shorter. */
export const wrongLength: Answer = (response, file) => rest()(response, file.subarray(0, 1000), 0);

/** Without a length, and too few bytes. */
export const short: Answer = (response, file) => void response.writeHead(200).end(file.subarray(0, 1000));

/** 206, but from the start. */
export const otherRange: Answer = (response, file) => {
  const range = `bytes 0-${file.length - 1}/${file.length}`;
  response.writeHead(206, { 'content-range': range }).end(file);
};

export const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end('sorry');
