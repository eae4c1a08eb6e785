/** A stranger that uses the same API: the first argument is its calls per second, regardless of answers. */
import {
  IoTManagedIntegrationsClient,
  UpdateOtaTaskCommand,
} from '../../packages/client-iot-managed-integrations/src/index.ts';

const perSecond = Number(process.argv[2]);
const client = new IoTManagedIntegrationsClient({ maxAttempts: 1 });
const startedAt = performance.now();
let sent = 0;
setInterval(() => {
  const due = ((performance.now() - startedAt) * perSecond) / 1_000;
  for (; sent < due; sent++) {
    const command = new UpdateOtaTaskCommand({ Identifier: `stranger${sent % 100}`, Description: 'a bench' });
    client.send(command).catch(() => undefined);
  }
}, 5);
