/** The construct: what it makes by default, and by each choice. */
import { SecretValue, Stack } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import { variables } from '../../../src/config/variables.ts';
import { readConfig } from '../../../src/config.ts';
import { EMF_DIMENSION, EMF_NAMESPACE } from '../../../src/observe/emf/lines.ts';
import { emfNames } from '../../../src/observe/emf/names.ts';
import { list, statements } from '../../../testing/iam/policies.ts';
import { DIMENSION, NAMESPACE } from '../src/alarms.ts';
import type { ConsoleProps } from '../src/index.ts';
import { synthesise } from './stage.ts';

const oidc = {
  issuer: 'https://id.example.com',
  authorizationEndpoint: 'https://id.example.com/authorize',
  tokenEndpoint: 'https://id.example.com/token',
  userInfoEndpoint: 'https://id.example.com/userinfo',
  clientId: 'console',
  clientSecret: SecretValue.secretsManager('oidc'),
};

const consoleProps = (scope: Construct, more: Partial<ConsoleProps> = {}): ConsoleProps => ({
  hostName: 'ota.example.com',
  certificate: Certificate.fromCertificateArn(
    scope,
    'Cert',
    'arn:aws:acm:eu-west-1:111111111111:certificate/x',
  ),
  ...more,
});

const plain = synthesise();
const withConsole = synthesise((scope) => ({
  valkey: true,
  console: consoleProps(scope, { oidc, operators: ['ann', 'bob'] }),
}));

interface Container {
  readonly Name: string;
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets?: readonly { readonly Name: string }[];
}

function containers(template: Template): Container[] {
  return Object.values(template.findResources('AWS::ECS::TaskDefinition')).flatMap(
    ({ Properties }) => Properties.ContainerDefinitions as Container[],
  );
}

describe('queues', () => {
  test('are three: updates, dead letters and outcomes, kept for 14 days, with the largest messages', () => {
    plain.resourceCountIs('AWS::SQS::Queue', 3);
    for (const name of ['updates', 'dead-letters', 'outcomes'])
      plain.hasResourceProperties('AWS::SQS::Queue', {
        QueueName: `ota-updater-${name}`,
        MessageRetentionPeriod: 1_209_600,
        MaximumMessageSize: 1_048_576,
        SqsManagedSseEnabled: true,
        FifoQueue: Match.absent(),
      });
  });

  test('have one redrive policy, which never fires', () => {
    plain.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'ota-updater-updates',
      RedrivePolicy: Match.objectLike({ maxReceiveCount: 1_000 }),
    });
    for (const name of ['dead-letters', 'outcomes'])
      plain.hasResourceProperties('AWS::SQS::Queue', {
        QueueName: `ota-updater-${name}`,
        RedrivePolicy: Match.absent(),
      });
  });

  test('take encrypted connections only', () => {
    const policies = Object.values(plain.findResources('AWS::SQS::QueuePolicy'));
    expect(policies).toHaveLength(3);
    for (const { Properties } of policies)
      expect(Properties.PolicyDocument.Statement).toEqual([
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]);
  });

  test('are FIFO by choice, but for outcomes', () => {
    const fifo = synthesise(() => ({ fifo: true }));
    for (const name of ['updates', 'dead-letters'])
      fifo.hasResourceProperties('AWS::SQS::Queue', {
        QueueName: `ota-updater-${name}.fifo`,
        FifoQueue: true,
      });
    fifo.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'ota-updater-outcomes',
      FifoQueue: Match.absent(),
    });
  });

  test('are encrypted by a key of one’s own by choice, which every role may use', () => {
    const encrypted = synthesise((scope) => ({ key: new Key(scope, 'Key') }));
    const queues = Object.values(encrypted.findResources('AWS::SQS::Queue'));
    for (const { Properties } of queues) expect(Properties.KmsMasterKeyId).toBeDefined();
    for (const role of ['Worker', 'Enqueuer', 'Operator'])
      expect(sids(encrypted, role), role).toContain('EncryptedQueues');
  });
});

interface StatementMade {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** The statements of the one policy whose logical id has this in it. */
function madeFor(template: Template, role: string): readonly StatementMade[] {
  const found = Object.entries(template.findResources('AWS::IAM::Policy')).filter(
    ([id]) => id.includes(role) && !id.includes('ExecutionRole'),
  );
  expect(found.map(([id]) => id)).toHaveLength(1);
  return found[0]?.[1].Properties.PolicyDocument.Statement as StatementMade[];
}
const sids = (template: Template, role: string): (string | undefined)[] =>
  madeFor(template, role).map(({ Sid }) => Sid);

describe('roles', () => {
  const all = synthesise((scope) => ({
    key: new Key(scope, 'Key'),
    reportBucket: new Bucket(scope, 'Reports'),
    notifyTopic: new Topic(scope, 'Jobs'),
    notifyBus: new EventBus(scope, 'Bus'),
    console: consoleProps(scope, { oidc }),
  }));

  test.each([
    ['worker', 'WorkerTaskTaskRole'],
    ['enqueuer', 'Enqueuer'],
    ['operator', 'Operator'],
    ['console', 'ConsoleServiceTaskTaskRole'],
  ])('%s: may do what deploy/iam says, statement by statement', (role, id) => {
    const made = madeFor(all, id).filter(({ Sid }) => Sid !== undefined);
    expect(made.map(({ Sid, Action }) => [Sid, [Action].flat()])).toEqual(
      statements(`${role}.json`).map(({ Sid, Action }) => [Sid, list(Action)]),
    );
    expect(JSON.stringify(made)).not.toMatch(/REGION|ACCOUNT_ID|[A-Z]+_QUEUE|KEY_ID|REPORT_BUCKET|NOTIFY_/);
    for (const [i, { Resource }] of statements(`${role}.json`).entries())
      expect([made[i]?.Resource].flat()).toHaveLength(list(Resource).length);
  });

  test('the console may also use its state folder, and nothing else', () => {
    const more = madeFor(all, 'ConsoleServiceTaskTaskRole').filter(({ Sid }) => Sid === undefined);
    expect(more.map(({ Action }) => Action)).toEqual([
      ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
    ]);
  });

  test('leave out what is not there', () => {
    expect(sids(plain, 'Enqueuer')).not.toContain('EncryptedQueues');
    expect(sids(plain, 'Enqueuer')).not.toContain('FileReports');
    expect(sids(plain, 'Enqueuer')).not.toContain('NotifyTopic');
    expect(sids(plain, 'Enqueuer')).toContain('SendUpdates');
  });
});

describe('the worker', () => {
  test('may do as little as possible in its container', () => {
    for (const template of [plain, withConsole])
      template.allResourcesProperties('AWS::ECS::TaskDefinition', {
        ContainerDefinitions: [
          Match.objectLike({
            ReadonlyRootFilesystem: true,
            User: '1000',
            LinuxParameters: { Capabilities: { Drop: ['ALL'] }, InitProcessEnabled: true },
            HealthCheck: Match.objectLike({ Command: ['CMD', 'ota-updater', 'health'] }),
            Privileged: Match.absent(),
          }),
        ],
      });
  });

  test('has longer to stop than it takes', () => {
    const { shutdownGraceSeconds } = readConfig({}, ['shutdownGraceSeconds']);
    expect(shutdownGraceSeconds).toBeLessThan(30);
    plain.allResourcesProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ StopTimeout: 30 })],
    });
  });

  test('is for x86_64, and for arm64 by choice', () => {
    const platform = (CpuArchitecture: string) => ({
      RuntimePlatform: Match.objectLike({ CpuArchitecture }),
    });
    plain.hasResourceProperties('AWS::ECS::TaskDefinition', platform('X86_64'));
    synthesise(() => ({ arm64: true })).hasResourceProperties('AWS::ECS::TaskDefinition', platform('ARM64'));
  });

  test('gets settings that the program knows, and no secret among them', () => {
    const known = new Set(Object.values(variables).map(({ name }) => name));
    for (const { Environment, Secrets = [] } of [plain, withConsole].flatMap(containers)) {
      const names = Environment.map(({ Name }) => Name);
      expect(names.filter((name) => !known.has(name) && name !== 'AWS_REGION')).toEqual([]);
      expect(Secrets.filter(({ Name }) => !known.has(Name) && Name !== 'PGPASSWORD')).toEqual([]);
      expect(JSON.stringify(Environment)).not.toContain('resolve:secretsmanager');
    }
  });

  test('is reached by nobody without a console, and reaches HTTPS only', () => {
    plain.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    plain.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: [Match.objectLike({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 })],
    });
  });
});

describe('alarms', () => {
  const alarms = Object.values(plain.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) =>
      Properties as { Namespace: string; MetricName: string; Dimensions: { Name: string }[] },
  );

  test('watch metrics that the worker writes, and those of SQS', () => {
    expect([NAMESPACE, DIMENSION]).toEqual([EMF_NAMESPACE, EMF_DIMENSION]);
    const written = new Set(Object.values(emfNames).flatMap((row) => ('name' in row ? [row.name] : [])));
    const own = alarms.filter(({ Namespace }) => Namespace === EMF_NAMESPACE);
    expect(own.map(({ MetricName }) => MetricName).toSorted()).toEqual([
      'CallsPaused',
      'HeldMessages',
      'PollStalled',
      'RetentionUsed',
    ]);
    for (const { MetricName, Dimensions } of own) {
      expect(written).toContain(MetricName);
      expect(Dimensions.map(({ Name }) => Name)).toEqual([EMF_DIMENSION]);
    }
    const others = alarms.filter(({ Namespace }) => Namespace === 'AWS/SQS');
    expect(others.map(({ MetricName }) => MetricName).toSorted()).toEqual([
      'ApproximateAgeOfOldestMessage',
      'ApproximateNumberOfMessagesVisible',
    ]);
    expect(containers(plain)[0]?.Environment).toContainEqual({ Name: 'METRICS', Value: 'emf' });
  });

  test('tell a topic by choice', () => {
    synthesise((scope) => ({ alarmTopic: new Topic(scope, 'Told') })).allResourcesProperties(
      'AWS::CloudWatch::Alarm',
      { AlarmActions: [Match.anyValue()], OKActions: [Match.anyValue()] },
    );
  });
});

describe('the console', () => {
  test('is behind TLS and OpenID Connect', () => {
    withConsole.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Protocol: 'HTTPS',
      DefaultActions: [
        Match.objectLike({
          Type: 'authenticate-oidc',
          AuthenticateOidcConfig: Match.objectLike({
            ClientSecret: '{{resolve:secretsmanager:oidc:SecretString:::}}',
          }),
        }),
        Match.objectLike({ Type: 'forward' }),
      ],
    });
  });

  test('believes the load balancer, which alone reaches it', () => {
    const one = containers(withConsole).find(({ Name }) => Name === 'console');
    const value = (name: string): unknown => one?.Environment.find(({ Name }) => Name === name)?.Value;
    expect(value('CONSOLE_IDENTITY_HEADER')).toBeUndefined();
    expect(JSON.stringify(value('CONSOLE_IDENTITY_ALB_ARN'))).toMatch(/"Ref":"\w*ConsoleLoadBalancer\w*"/);
    expect(value('CONSOLE_OPERATORS')).toBe('ann,bob');
    expect(value('CONSOLE_HOSTS')).toBe('ota.example.com');
    const ingress = Object.values(withConsole.findResources('AWS::EC2::SecurityGroupIngress'));
    const toConsole = ingress.filter(({ Properties }) => Properties.FromPort === 8_090);
    expect(toConsole).toHaveLength(1);
    expect(JSON.stringify(toConsole)).toContain('ConsoleAccess');
  });

  test('may be without an identity provider: whoever has a token signs in', () => {
    const tokens = synthesise((scope) => ({
      console: consoleProps(scope, { tokens: Secret.fromSecretNameV2(scope, 'Tokens', 'tokens') }),
    }));
    tokens.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      DefaultActions: [Match.objectLike({ Type: 'forward' })],
    });
    const one = containers(tokens).find(({ Name }) => Name === 'console');
    expect(one?.Secrets?.map(({ Name }) => Name)).toEqual(['PGPASSWORD', 'CONSOLE_TOKENS']);
  });

  test('is refused without either', () => {
    expect(() => synthesise((scope) => ({ console: consoleProps(scope) }))).toThrow('Nobody could sign in');
  });

  test('brings PostgreSQL, encrypted, that is not public and is not deleted by mistake', () => {
    withConsole.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Snapshot',
      Properties: Match.objectLike({
        Engine: 'postgres',
        StorageEncrypted: true,
        PubliclyAccessible: false,
        DeletionProtection: true,
      }),
    });
    plain.resourceCountIs('AWS::RDS::DBInstance', 0);
  });
});

describe('a ledger', () => {
  const alone = synthesise((scope) => ({
    ledger: {
      certificates: '/etc/rds.pem',
      clients: [SecurityGroup.fromSecurityGroupId(scope, 'Sender', 'sg-0123456789abcdef0')],
    },
  }));

  test('is there without a console by choice, for those who send jobs', () => {
    alone.resourceCountIs('AWS::RDS::DBInstance', 1);
    alone.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0);
    alone.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      SourceSecurityGroupId: 'sg-0123456789abcdef0',
      FromPort: 5432,
      ToPort: 5432,
    });
    // The worker has no business there.
    expect(containers(alone).flatMap(({ Secrets = [] }) => Secrets)).toEqual([]);
  });

  test('says where it is, and how it is checked', () => {
    const said: unknown[] = [];
    synthesise(
      () => ({ ledger: {} }),
      (updater) =>
        said.push(Stack.of(updater).resolve([updater.ledger?.url, updater.ledger?.secret.secretArn])),
    );
    expect(JSON.stringify(said)).toMatch(
      /postgres:\/\/ota_updater@.*LedgerDatabase.*:5432\/ota_updater\?sslmode=no-verify.*"Ref":"OtaUpdaterLedgerSecret/,
    );
  });

  test('is one with a console, with its choices', () => {
    const both = synthesise((scope) => ({
      ledger: { certificates: '/etc/rds.pem' },
      console: consoleProps(scope, { oidc }),
    }));
    both.resourceCountIs('AWS::RDS::DBInstance', 1);
    const one = containers(both).find(({ Name }) => Name === 'console');
    const url = one?.Environment.find(({ Name }) => Name === 'LEDGER_URL');
    expect(JSON.stringify(url)).toContain('sslmode=verify-full&sslrootcert=/etc/rds.pem');
  });
});

test('Valkey, by choice, has TLS and a password', () => {
  withConsole.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
    Engine: 'valkey',
    TransitEncryptionEnabled: true,
    AtRestEncryptionEnabled: true,
    AuthToken: Match.anyValue(),
  });
  plain.resourceCountIs('AWS::ElastiCache::ReplicationGroup', 0);
  expect(containers(withConsole)[0]?.Secrets?.map(({ Name }) => Name)).toEqual(['REDIS_URL']);
});

test('with FIFO queues, for arm64: as it was', () => {
  expect(synthesise(() => ({ fifo: true, arm64: true })).toJSON()).toMatchSnapshot();
});

test('no worker runs where others work on the queues: `workers: 0`', () => {
  synthesise(() => ({ workers: 0 })).hasResourceProperties('AWS::ECS::Service', { DesiredCount: 0 });
});
