/** Stacks whose templates need nothing but parameters: no assets, no bootstrapped account. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, BootstraplessSynthesizer, CfnOutput, CfnParameter, Fn, SecretValue, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { CfnService, ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { OtaUpdater } from './ota-updater.ts';

/** What a plain template has. */
interface Choices {
  /** PostgreSQL without a console, or console, PostgreSQL, Valkey, a KMS key and a topic for alarms; default: neither. */
  readonly more?: 'ledger' | 'console';
  readonly arm64?: boolean;
  readonly fifo?: boolean;
}

const NAME = 'ota-updater';
const brings = { ledger: '; PostgreSQL', console: '; console, PostgreSQL, Valkey' };

class OtaUpdaterStack extends Stack {
  constructor(scope: Construct, id: string, { more, arm64, fifo }: Choices) {
    super(scope, id, {
      description: `ota-updater: queues, roles, worker and alarms${more === undefined ? '' : brings[more]}. Made by deploy/cdk.`,
      synthesizer: new BootstraplessSynthesizer(),
      analyticsReporting: false,
    });
    const text = (name: string, description: string, rest: Partial<CfnParameter> = {}): string =>
      new CfnParameter(this, name, { type: 'String', description, ...rest }).valueAsString;
    const repository = Repository.fromRepositoryName(
      this,
      'Repository',
      text('ImageRepository', 'The repository of the image, in ECR of this account and region', {
        default: NAME,
      }),
    );
    const tag = text('ImageTag', 'The tag of the image');
    const vpcId = new CfnParameter(this, 'Vpc', { type: 'AWS::EC2::VPC::Id' }).valueAsString;
    const subnet = (name: string, what: string): string =>
      new CfnParameter(this, name, { type: 'AWS::EC2::Subnet::Id', description: what }).valueAsString;
    const own = 'For the tasks; in another zone than the other one';
    const subnetIds = [subnet('SubnetA', own), subnet('SubnetB', own)];
    const publicIp = new CfnParameter(this, 'AssignPublicIp', {
      type: 'String',
      description:
        'ENABLED for subnets whose way out is an internet gateway, DISABLED for those with a NAT gateway',
      allowedValues: ['ENABLED', 'DISABLED'],
      default: 'ENABLED',
    });
    const rate = new CfnParameter(this, 'RateLimit', {
      type: 'Number',
      description: 'RATE_LIMIT: calls per second at most',
      default: 10,
      minValue: 0.01,
      maxValue: 100_000,
    });
    const workers = new CfnParameter(this, 'Workers', { type: 'Number', default: 1, minValue: 0 });
    const vpc = Vpc.fromVpcAttributes(this, 'Network', {
      vpcId,
      availabilityZones: [Fn.select(0, Fn.getAzs()), Fn.select(1, Fn.getAzs())],
    });
    const subnets = (ids: readonly string[], name: string) => ({
      subnets: ids.map((subnetId, i) =>
        Subnet.fromSubnetAttributes(this, `${name}${i}`, {
          subnetId,
          availabilityZone: Fn.select(i, Fn.getAzs()),
        }),
      ),
    });
    const updater = new OtaUpdater(this, 'OtaUpdater', {
      name: NAME,
      vpc,
      subnets: subnets(subnetIds, 'Own'),
      // The type knows true and false; the template takes a parameter.
      assignPublicIp: false,
      image: ContainerImage.fromEcrRepository(repository, tag),
      arm64,
      fifo,
      settings: { RATE_LIMIT: rate.valueAsString },
      workers: workers.valueAsNumber,
      ...(more === 'ledger' && {
        ledger: {
          clients: [
            SecurityGroup.fromSecurityGroupId(
              this,
              'LedgerClients',
              new CfnParameter(this, 'LedgerClient', {
                type: 'AWS::EC2::SecurityGroup::Id',
                description: 'Of those who send jobs; PostgreSQL is reached from there',
              }).valueAsString,
              { mutable: false },
            ),
          ],
        },
      }),
      ...(more === 'console' && {
        key: Key.fromKeyArn(this, 'Key', text('KeyArn', 'The KMS key that encrypts the queues')),
        alarmTopic: Topic.fromTopicArn(
          this,
          'AlarmTopic',
          text('AlarmTopicArn', 'The SNS topic that is told of alarms'),
        ),
        valkey: true,
        console: {
          hostName: text('ConsoleHost', 'The name of the console in the browser'),
          certificate: Certificate.fromCertificateArn(
            this,
            'Certificate',
            text('CertificateArn', 'The certificate of that name, of ACM'),
          ),
          publicSubnets: subnets(
            [
              subnet('PublicSubnetA', 'For the load balancer'),
              subnet('PublicSubnetB', 'For the load balancer'),
            ],
            'Public',
          ),
          trustedNetwork: text('VpcCidr', 'The addresses of the VPC, such as 10.0.0.0/16'),
          from: text('ConsoleFrom', 'Who may reach the console, as 203.0.113.0/24', { default: '0.0.0.0/0' }),
          oidc: {
            issuer: text('OidcIssuer', 'Of the identity provider'),
            authorizationEndpoint: text('OidcAuthorizationEndpoint', 'Of the identity provider'),
            tokenEndpoint: text('OidcTokenEndpoint', 'Of the identity provider'),
            userInfoEndpoint: text('OidcUserInfoEndpoint', 'Of the identity provider'),
            clientId: text('OidcClientId', 'Of the console, at the identity provider'),
            clientSecret: SecretValue.secretsManager(
              text('OidcClientArn', 'A secret of Secrets Manager with the text of the client secret'),
            ),
          },
          operators: [text('Operators', 'Who may change something: subjects, with commas between')],
        },
      }),
    });
    for (const child of updater.node.findAll())
      if (child instanceof CfnService)
        child.addPropertyOverride(
          'NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp',
          publicIp.valueAsString,
        );
    const { updates, deadLetters, outcomes } = updater.queues;
    const outputs: Readonly<Record<string, string | undefined>> = {
      QueueUrl: updates.queueUrl,
      DeadLetterQueueUrl: deadLetters.queueUrl,
      OutcomeQueueUrl: outcomes.queueUrl,
      EnqueuerRoleArn: updater.enqueuer.roleArn,
      OperatorRoleArn: updater.operator.roleArn,
      WorkerLog: updater.worker.logs.logGroupName,
      ConsoleAddress: updater.console?.address,
      // For those who are told of the ledger by nobody else.
      ...(more === 'ledger' && {
        LedgerUrl: updater.ledger?.url,
        LedgerSecretArn: updater.ledger?.secret.secretArn,
      }),
    };
    for (const [name, value] of Object.entries(outputs))
      if (value !== undefined) new CfnOutput(this, name, { value });
  }
}

/** The plain templates, by the names of their files. */
export function templates(): Readonly<Record<string, unknown>> {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-'));
  const app = new App({ analyticsReporting: false, outdir });
  const stacks = {
    'ota-updater.json': new OtaUpdaterStack(app, 'OtaUpdater', {}),
    'ota-updater-ledger.json': new OtaUpdaterStack(app, 'OtaUpdaterLedger', { more: 'ledger' }),
    'ota-updater-console.json': new OtaUpdaterStack(app, 'OtaUpdaterConsole', { more: 'console' }),
  };
  try {
    const assembly = app.synth();
    return Object.fromEntries(
      Object.entries(stacks).map(([file, { stackName }]) => [
        file,
        assembly.getStackByName(stackName).template,
      ]),
    );
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

/** As it stands in deploy/cloudformation. */
export const templateText = (template: unknown): string => `${JSON.stringify(template, null, 2)}\n`;
