/** A cluster with a server and an orchestrator of its own, which its tests may stop, kill and replace. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import { startEmbeddedServer, type EmbeddedServer } from '../../src/temporal/embedded/embedded-server.js';
import { findTemporalCli } from '../../src/temporal/embedded/temporal-cli.js';
import { Cluster } from './cluster.js';
import { startSealflow, type Running } from './sealflow.js';

export class OwnCluster extends Cluster {
  private constructor(
    directory: string,
    private server: EmbeddedServer,
    client: Client,
    private readonly orchestrator: Running,
  ) {
    super(directory, server.address, client);
  }

  /**
   * @param dynamicConfig of the server, beside what every embedded server has
   * @param more arguments of the orchestrator
   */
  static async start(dynamicConfig?: Record<string, number>, ...more: string[]): Promise<OwnCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'sealflow-e2e-'));
    const server = await startServer(join(directory, 'server'), undefined, dynamicConfig);
    const orchestrator = startSealflow(['orchestrator', '--address', server.address, ...more]);
    const connection = await Connection.connect({ address: server.address });
    await orchestrator.until('orchestrator ready');
    return new OwnCluster(directory, server, new Client({ connection }), orchestrator);
  }

  /** Ends all processes and deletes all files. */
  override async end(): Promise<void> {
    await this.endGroups();
    this.orchestrator.kill('SIGKILL');
    await this.orchestrator.ended;
    await this.client.connection.close();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ends the orchestrator, so that another one can take its place. */
  async endOrchestrator(): Promise<void> {
    this.orchestrator.kill('SIGTERM');
    await this.orchestrator.ended;
  }

  get serverPid(): number {
    return this.server.pid;
  }

  /** Where the server keeps all that it knows: to be touched only while it is stopped. */
  get serverData(): string {
    return join(this.directory, 'server');
  }

  stopServer = (): Promise<void> => this.server.stop();

  /** Ends the server as a power cut does. */
  async killServer(): Promise<void> {
    process.kill(-this.server.pid, 'SIGKILL');
    await this.server.ended;
  }

  /** Starts the server again at the same address, on what is in its data directory. */
  async restartServer(): Promise<void> {
    this.server = await startServer(this.serverData, Number(this.address.split(':')[1]));
  }
}

const startServer = async (
  dataDir: string,
  port?: number,
  dynamicConfig?: Record<string, number>,
): Promise<EmbeddedServer> =>
  startEmbeddedServer({
    cli: await findTemporalCli(),
    dataDir,
    port,
    searchAttributes: SEARCH_ATTRIBUTES,
    dynamicConfig,
  });
