/**
 * Leaves out of the bundle what packages load at their start and the program never uses: it would be in the memory of every worker. A plugin
 * for Rolldown.
 */
import type { Plugin } from 'rolldown';

const UNDICI = '\0undici';
const HTTP = '\0http';
const NO_HTTP2 = '\0no-http2';

/** Of undici, what Smithy's request handler takes: without its fetch, caches, mocks, proxies and web sockets. */
const undici = `
  const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
  Object.assign(Dispatcher.prototype, require('undici/lib/api'));
  exports.Dispatcher = Dispatcher;
  exports.Agent = require('undici/lib/dispatcher/agent.js');
  exports.getGlobalDispatcher = require('undici/lib/global.js').getGlobalDispatcher;
`;
/** AWS is asked by HTTP/1.1. */
const noHttp2 = `
  exports.constants = {};
  exports.connect = () => { throw new Error('HTTP/2 is not part of this program'); };
`;

/**
 * An import of it reads all that it exports, and with it loads Node's own undici, for its web sockets: 15 MB. This reads what is used.
 */
const http = `module.exports = process.getBuiltinModule('node:http');`;
const modules: ReadonlyMap<string, string> = new Map([
  [UNDICI, undici],
  [HTTP, http],
  [NO_HTTP2, noHttp2],
]);

export function light(): Plugin {
  return {
    name: 'light',
    resolveId(source, importer = '') {
      if (source === 'undici') return UNDICI;
      if (source === 'node:http' || source === 'http') return HTTP;
      const client = /\/node_modules\/(undici|@smithy\/node-http-handler)\//.test(importer);
      if (source === 'node:http2' && client) return NO_HTTP2;
      return null;
    },
    load: (id) => modules.get(id) ?? null,
  };
}
