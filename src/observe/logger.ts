/** The logger: pino, one JSON object per line, safe to print on a terminal. */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { escapeJson } from '../text/printable.ts';

export type { Logger };

/** @param level one of pino's levels, including `silent`. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: 'ota-updater', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: escapeJson },
  };
  return pino(options, destination);
}
