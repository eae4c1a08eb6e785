/** The logger: pino, one JSON object per line, safe to print on a terminal. */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger };

/** Characters that JSON leaves raw but a terminal interprets or hides: DEL, C1, bidi controls, separators, BOM, noncharacters. */
const unsafe = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

/** Escapes characters that are unsafe on a terminal; JSON stays valid and keeps its value. */
export function escapeUnsafe(line: string): string {
  return line.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** @param level as pino knows it; also `silent`. */
export function createLogger(level: string, destination: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: 'ota-updater', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: escapeUnsafe },
  };
  return pino(options, destination);
}
