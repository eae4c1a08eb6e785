/** All of it: queues, roles, the worker on Fargate, alarms; Valkey, PostgreSQL and the console by choice. */
import { Aws, Duration } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Port } from 'aws-cdk-lib/aws-ec2';
import { Cluster, type ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { AccountRootPrincipal, type IPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { type ConsoleProps, ConsoleService } from './console.ts';
import { type Place, Service } from './fargate.ts';
import { type Names, statementsOf } from './policies.ts';
import { Queues } from './queues.ts';
import { Ledger, type LedgerProps, Shared } from './stores.ts';

export interface OtaUpdaterProps {
  /** Names of queues and alarms begin with it. Default: `ota-updater`. */
  readonly name?: string | undefined;
  readonly vpc: IVpc;
  /** Default: the VPC's own choice, private subnets with a way out. */
  readonly subnets?: SubnetSelection | undefined;
  /** For subnets without a NAT gateway. Default: false. */
  readonly assignPublicIp?: boolean | undefined;
  readonly image: ContainerImage;
  /** The image is one for arm64. Default: x86_64. */
  readonly arm64?: boolean | undefined;
  /** Settings of the workers besides those that follow from the rest, such as RATE_LIMIT. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Default: 1, which is faster than any limit measured; a second one is for availability. */
  readonly workers?: number | undefined;
  readonly fifo?: boolean | undefined;
  /** Encrypts the queues. Default: a key of SQS's own. */
  readonly key?: IKey | undefined;
  /** Who may take the roles of enqueuer and operator. Default: whom this account lets. */
  readonly people?: IPrincipal | undefined;
  /** Where reports of jobs may be filed. */
  readonly reportBucket?: IBucket | undefined;
  /** What jobs tell of their ends. */
  readonly notifyTopic?: ITopic | undefined;
  readonly notifyBus?: IEventBus | undefined;
  /** Told of alarms. */
  readonly alarmTopic?: ITopic | undefined;
  /** An update that waits for longer raises an alarm. Default: 15 minutes. */
  readonly tooOld?: Duration | undefined;
  /** Workers share rate and memory through Valkey. Default: false. */
  readonly valkey?: boolean | undefined;
  /** PostgreSQL for the ledger of jobs, for commands on several machines. Default: with a console only. */
  readonly ledger?: LedgerProps | undefined;
  /** Brings a ledger. */
  readonly console?: ConsoleProps | undefined;
}

const WORKER_PORT = 8_080;

export class OtaUpdater extends Construct {
  readonly queues: Queues;
  readonly worker: Service;
  readonly enqueuer: Role;
  readonly operator: Role;
  readonly ledger: Ledger | undefined;
  readonly console: ConsoleService | undefined;

  constructor(scope: Construct, id: string, props: OtaUpdaterProps) {
    super(scope, id);
    const { name = 'ota-updater', vpc, subnets = {}, assignPublicIp = false, image, arm64 = false } = props;
    const { fifo, key, reportBucket, notifyTopic, notifyBus } = props;
    const place: Place = { vpc, subnets, assignPublicIp };
    this.queues = new Queues(this, 'Queues', { name, fifo, key });
    const { updates, deadLetters, outcomes } = this.queues;
    const names: Names = {
      UPDATE_QUEUE: updates.queueName,
      DEAD_LETTER_QUEUE: deadLetters.queueName,
      OUTCOME_QUEUE: outcomes.queueName,
      KEY_ID: key?.keyId,
      REPORT_BUCKET: reportBucket?.bucketName,
      NOTIFY_TOPIC: notifyTopic?.topicName,
      NOTIFY_BUS: notifyBus?.eventBusName,
    };
    const environment = {
      AWS_REGION: Aws.REGION,
      QUEUE_URL: updates.queueUrl,
      DEAD_LETTER_QUEUE_URL: deadLetters.queueUrl,
      OUTCOME_QUEUE_URL: outcomes.queueUrl,
    };
    const people = props.people ?? new AccountRootPrincipal();
    this.enqueuer = this.#role('Enqueuer', 'enqueuer', people, names);
    this.operator = this.#role('Operator', 'operator', people, names);

    const cluster = new Cluster(this, 'Cluster', { vpc });
    const shared = props.valkey ? new Shared(this, 'Shared', name, place) : undefined;
    const common = { names, place, cluster, image, arm64 };
    this.worker = new Service(this, 'Worker', {
      ...common,
      role: 'worker',
      count: props.workers ?? 1,
      command: 'worker',
      overlap: true,
      environment: {
        ...props.settings,
        ...environment,
        METRICS: 'emf',
        // For the console, through the network only.
        ...(props.console !== undefined && { HTTP_HOST: '0.0.0.0' }),
      },
      secrets: shared === undefined ? {} : { REDIS_URL: shared.url },
    });
    shared?.allowFrom(this.worker.securityGroup);
    new Alarms(this, 'Alarms', {
      name,
      queues: this.queues,
      topic: props.alarmTopic,
      tooOld: props.tooOld ?? Duration.minutes(15),
    });
    const { ledger = props.console && {} } = props;
    this.ledger = ledger && new Ledger(this, 'Ledger', place, ledger);
    this.console =
      props.console &&
      this.ledger &&
      this.#addConsole(props.console, this.ledger, common, environment, props);
  }

  #role(id: string, role: 'enqueuer' | 'operator', people: IPrincipal, names: Names): Role {
    const made = new Role(this, id, { assumedBy: people, description: `ota-updater ${role}` });
    for (const statement of statementsOf(role, names)) made.addToPolicy(statement);
    return made;
  }

  #addConsole(
    console: ConsoleProps,
    ledger: Ledger,
    common: Pick<ConstructorParameters<typeof Service>[2], 'names' | 'place' | 'cluster' | 'image' | 'arm64'>,
    environment: Readonly<Record<string, string>>,
    { name = 'ota-updater', notifyTopic, notifyBus }: OtaUpdaterProps,
  ): ConsoleService {
    const { place } = common;
    const namespace = new PrivateDnsNamespace(this, 'Namespace', {
      name: `${name}.internal`,
      vpc: place.vpc,
    });
    this.worker.container.addPortMappings({ containerPort: WORKER_PORT });
    this.worker.service.enableCloudMap({
      cloudMapNamespace: namespace,
      name: 'worker',
      dnsRecordType: DnsRecordType.A,
      dnsTtl: Duration.seconds(10),
    });
    const made = new ConsoleService(this, 'Console', console, {
      ...common,
      environment: {
        ...environment,
        ...(notifyTopic !== undefined && { NOTIFY_TOPIC_ARN: notifyTopic.topicArn }),
        ...(notifyBus !== undefined && { NOTIFY_EVENT_BUS: notifyBus.eventBusName }),
      },
      workerUrls: `http://worker.${name}.internal:${WORKER_PORT}`,
      ledger,
    });
    const worker = this.worker.securityGroup;
    const reader = made.service.securityGroup;
    worker.addIngressRule(reader, Port.tcp(WORKER_PORT), 'status');
    reader.addEgressRule(worker, Port.tcp(WORKER_PORT), 'status');
    return made;
  }
}
