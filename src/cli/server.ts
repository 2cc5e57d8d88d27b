/** Shared by commands that talk to Temporal: options and the connection. */
import { Option, type Command } from 'commander';
import type { Client } from '@temporalio/client';
import { readConfig } from '../config.js';
import { connectClient } from '../temporal/connect/client.js';
import { targetOf, type Target } from '../temporal/connect/target.js';

export interface ServerOptions {
  address?: string;
  config?: string;
}

/** Adds the options that locate the Temporal server. */
export const withServer = (command: Command): Command =>
  command
    .addOption(
      new Option('--address <host:port>', 'Temporal frontend (default: TEMPORAL_ADDRESS, profile, config)'),
    )
    .addOption(new Option('--config <file>', 'take scheduler_url from this config.toml'));

export const targetFrom = ({ address, config }: ServerOptions): Target =>
  targetOf({ address, ...(config !== undefined && { schedulerUrl: readConfig(config).schedulerUrl }) });

export const clientFrom = (options: ServerOptions): Promise<Client> => connectClient(targetFrom(options));
