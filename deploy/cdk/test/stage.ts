/** The construct in a stack of its own. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { OtaUpdater, type OtaUpdaterProps } from '../src/index.ts';

/** @param choose makes what is to be passed in, in the stack. */
export function synthesise(choose: (stack: Stack) => Partial<OtaUpdaterProps> = () => ({})): Template {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Test', {
    env: { account: '111111111111', region: 'eu-west-1' },
  });
  new OtaUpdater(stack, 'OtaUpdater', {
    vpc: new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1, restrictDefaultSecurityGroup: false }),
    image: ContainerImage.fromRegistry('ota-updater'),
    ...choose(stack),
  });
  return Template.fromStack(stack);
}
