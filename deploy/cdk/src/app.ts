/** Writes the plain templates to deploy/cloudformation: `npm run synth --prefix deploy/cdk`. */
import { writeFileSync } from 'node:fs';
import { templates, templateText } from './stacks.ts';

for (const [file, template] of Object.entries(templates()))
  writeFileSync(new URL(`../../cloudformation/${file}`, import.meta.url), templateText(template));
