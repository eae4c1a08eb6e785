/**
 * Takes only what is used from Node's own modules. A plugin for Rolldown: importing `node:http` or `node:util` reads all its exports, and
 * thus loads code that only some exports need, such as Node's own undici for web sockets: 15 MB, and 30 ms of each start.
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

export function builtIns(): Plugin {
  return {
    name: 'built-ins',
    renderChunk(code) {
      let written = '';
      let from = 0;
      for (const node of this.parse(code).body) {
        if (node.type !== 'ImportDeclaration' || !isBuiltin(node.source.value)) continue;
        // A chunk may define its own `process`.
        const builtIn = `globalThis.process.getBuiltinModule(${JSON.stringify(node.source.value)})`;
        const named: string[] = [];
        const declared: string[] = [];
        for (const { type, local, ...specifier } of node.specifiers) {
          if (type !== 'ImportSpecifier') declared.push(`${local.name} = ${builtIn}`);
          else if ('imported' in specifier && specifier.imported.type === 'Identifier')
            named.push(`${specifier.imported.name}: ${local.name}`);
          else throw new Error(`an import of ${node.source.value} by a name that is a text`);
        }
        if (named.length > 0) declared.push(`{ ${named.join(', ')} } = ${builtIn}`);
        written += code.slice(from, node.start) + declared.map((each) => `const ${each};`).join(' ');
        from = node.end;
      }
      return written + code.slice(from);
    },
  };
}
