/**
 * Leaves code out of the bundle that packages load at their start but the program never uses: it would take memory in every worker. A
 * plugin for Rolldown.
 */
import type { Plugin } from 'rolldown';

const UNDICI = '\0undici';
const NO_HTTP2 = '\0no-http2';

/** The part of undici that Smithy's request handler uses: without its fetch, caches, mocks, proxies and web sockets. */
const undici = `
  const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
  Object.assign(Dispatcher.prototype, require('undici/lib/api'));
  exports.Dispatcher = Dispatcher;
  exports.Agent = require('undici/lib/dispatcher/agent.js');
  exports.getGlobalDispatcher = require('undici/lib/global.js').getGlobalDispatcher;
`;
/** Requests to AWS use HTTP/1.1. */
const noHttp2 = `
  exports.constants = {};
  exports.connect = () => { throw new Error('HTTP/2 is not part of this program'); };
`;

const modules: ReadonlyMap<string, string> = new Map([
  [UNDICI, undici],
  [NO_HTTP2, noHttp2],
]);

export function light(): Plugin {
  return {
    name: 'light',
    resolveId(source, importer = '') {
      if (source === 'undici') return UNDICI;
      const client = /\/node_modules\/(undici|@smithy\/node-http-handler)\//.test(importer);
      if (source === 'node:http2' && client) return NO_HTTP2;
      return null;
    },
    load: (id) => modules.get(id) ?? null,
  };
}
