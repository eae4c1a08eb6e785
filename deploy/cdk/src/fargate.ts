/** What the services of worker and console have in common: one container that may do as little as possible. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
} from 'aws-cdk-lib/aws-ec2';
import {
  AwsLogDriverMode,
  Capability,
  type ContainerDefinition,
  type ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  type Secret,
} from 'aws-cdk-lib/aws-ecs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type Names, type Role, statementsOf } from './policies.ts';

/** Where the services run. */
export interface Place {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  /** For subnets without a NAT gateway: image, SQS and the API are reached by it. */
  readonly assignPublicIp: boolean;
}

export interface ServiceProps {
  readonly role: Role;
  readonly names: Names;
  readonly place: Place;
  readonly cluster: ICluster;
  readonly image: ContainerImage;
  readonly arm64: boolean;
  readonly count: number;
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, Secret>>;
  /** Others may run beside those that are replaced. */
  readonly overlap: boolean;
}

/** The user `node` of the image, in group 0. */
export const USER = '1000';
const KIB_CPU = 256;
const MEMORY_MIB = 512;

export class Service extends Construct {
  readonly task: FargateTaskDefinition;
  readonly container: ContainerDefinition;
  readonly service: FargateService;
  readonly securityGroup: ISecurityGroup;
  readonly logs: LogGroup;

  constructor(scope: Construct, id: string, props: ServiceProps) {
    super(scope, id);
    const { role, names, place, cluster, image, arm64, count, command, environment, secrets, overlap } =
      props;
    this.logs = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.task = new FargateTaskDefinition(this, 'Task', {
      cpu: KIB_CPU,
      memoryLimitMiB: MEMORY_MIB,
      runtimePlatform: {
        cpuArchitecture: arm64 ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    for (const statement of statementsOf(role, names)) this.task.addToTaskRolePolicy(statement);
    const linux = new LinuxParameters(this, 'Linux', { initProcessEnabled: true });
    linux.dropCapabilities(Capability.ALL);
    this.container = this.task.addContainer('Container', {
      containerName: role,
      image,
      command: [command],
      environment: { ...environment },
      secrets: { ...secrets },
      user: USER,
      readonlyRootFilesystem: true,
      linuxParameters: linux,
      stopTimeout: Duration.seconds(30),
      healthCheck: {
        command: ['CMD', 'ota-updater', 'health'],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        startPeriod: Duration.seconds(10),
        retries: 3,
      },
      logging: LogDrivers.awsLogs({
        logGroup: this.logs,
        streamPrefix: role,
        mode: AwsLogDriverMode.NON_BLOCKING,
      }),
    });
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: place.vpc,
      description: `ota-updater ${role}`,
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, image and log');
    this.service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: this.task,
      desiredCount: count,
      vpcSubnets: place.subnets,
      assignPublicIp: place.assignPublicIp,
      securityGroups: [this.securityGroup],
      minHealthyPercent: overlap ? 100 : 0,
      maxHealthyPercent: overlap ? 200 : 100,
      circuitBreaker: { rollback: true },
    });
  }
}
