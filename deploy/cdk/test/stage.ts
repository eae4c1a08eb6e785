/** The construct in a stack of its own. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { OtaUpdater, type OtaUpdaterProps } from '../src/index.ts';

/**
 * @param choose makes what is to be passed in, in the stack.
 * @param look is given what was made.
 */
export function synthesise(
  choose: (stack: Stack) => Partial<OtaUpdaterProps> = () => ({}),
  look: (updater: OtaUpdater) => void = () => {},
): Template {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Test', {
    env: { account: '111111111111', region: 'eu-west-1' },
  });
  const updater = new OtaUpdater(stack, 'OtaUpdater', {
    vpc: new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1, restrictDefaultSecurityGroup: false }),
    image: ContainerImage.fromRegistry('ota-updater'),
    ...choose(stack),
  });
  look(updater);
  return Template.fromStack(stack);
}
