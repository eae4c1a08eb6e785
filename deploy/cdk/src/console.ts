/** The console behind an Application Load Balancer: TLS there, and signing in by OpenID Connect, if that is wanted. */
import { Duration, Fn, RemovalPolicy, type SecretValue } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Peer, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { type ContainerImage, Secret as ContainerSecret, type ICluster } from 'aws-cdk-lib/aws-ecs';
import { AccessPoint, FileSystem } from 'aws-cdk-lib/aws-efs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerAction,
  SslPolicy,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type Place, Service, USER } from './fargate.ts';
import type { Names } from './policies.ts';
import type { Ledger } from './stores.ts';

/** An identity provider, as the load balancer asks it. */
export interface Oidc {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userInfoEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: SecretValue;
}

export interface ConsoleProps {
  /** The name in the browser; a record of yours points it to the load balancer. */
  readonly hostName: string;
  readonly certificate: ICertificate;
  /** The load balancer's; default: those of the services. */
  readonly publicSubnets?: SubnetSelection | undefined;
  /** The network that the load balancer's addresses are in; default: the VPC's. */
  readonly trustedNetwork?: string | undefined;
  /** Who may reach the load balancer; default: everybody, who then has to sign in. */
  readonly from?: string | undefined;
  /** Default: tokens only. */
  readonly oidc?: Oidc | undefined;
  /** Those who may change something, by the subject that the provider gives them. */
  readonly operators?: readonly string[] | undefined;
  /** A secret with the text of CONSOLE_TOKENS. Without `oidc` it is needed. */
  readonly tokens?: ISecret | undefined;
}

interface Parts {
  readonly place: Place;
  readonly cluster: ICluster;
  readonly image: ContainerImage;
  readonly arm64: boolean;
  readonly names: Names;
  /** Of queues, notices and region. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workerUrls: string;
  readonly ledger: Ledger;
}

const PORT = 8_090;
const STATE = '/var/lib/ota-updater';

export class ConsoleService extends Construct {
  readonly service: Service;
  readonly loadBalancer: ApplicationLoadBalancer;

  constructor(scope: Construct, id: string, props: ConsoleProps, parts: Parts) {
    super(scope, id);
    const { hostName, certificate, oidc, operators = [], tokens } = props;
    const { place, ledger } = parts;
    if (oidc === undefined && tokens === undefined)
      throw new Error('Nobody could sign in to the console: give it `oidc` or `tokens`.');
    this.service = new Service(this, 'Service', {
      ...parts,
      role: 'console',
      count: 1,
      command: 'console',
      // One console for each state folder.
      overlap: false,
      environment: {
        ...parts.environment,
        CONSOLE_HOST: '0.0.0.0',
        CONSOLE_HOSTS: hostName,
        CONSOLE_TRUSTED_PROXIES: props.trustedNetwork ?? place.vpc.vpcCidrBlock,
        WORKER_URLS: parts.workerUrls,
        LEDGER_URL: ledger.url,
        STATE_DIR: STATE,
        ...(oidc !== undefined && operators.length > 0 && { CONSOLE_OPERATORS: operators.join(',') }),
      },
      secrets: {
        PGPASSWORD: ledger.password,
        ...(tokens !== undefined && { CONSOLE_TOKENS: ContainerSecret.fromSecretsManager(tokens) }),
      },
    });
    this.service.container.addPortMappings({ containerPort: PORT });
    ledger.allowFrom(this.service.securityGroup);
    this.#keepState(place);

    const access = new SecurityGroup(this, 'Access', {
      vpc: place.vpc,
      description: 'ota-updater console, load balancer',
      allowAllOutbound: false,
    });
    access.addIngressRule(Peer.ipv4(props.from ?? '0.0.0.0/0'), Port.tcp(443), 'browsers');
    if (oidc !== undefined) access.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'identity provider');
    access.addEgressRule(this.service.securityGroup, Port.tcp(PORT), 'console');
    this.service.securityGroup.addIngressRule(access, Port.tcp(PORT), 'load balancer');
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: place.vpc,
      internetFacing: true,
      vpcSubnets: props.publicSubnets ?? place.subnets,
      securityGroup: access,
      dropInvalidHeaderFields: true,
      // Streams of pages are silent for at most 15 s.
      idleTimeout: Duration.seconds(60),
    });
    // Others are in its network, too: only what it has signed is believed.
    if (oidc !== undefined)
      this.service.container.addEnvironment('CONSOLE_IDENTITY_ALB_ARN', this.loadBalancer.loadBalancerArn);
    const target = new ApplicationTargetGroup(this, 'Target', {
      vpc: place.vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      port: PORT,
      deregistrationDelay: Duration.seconds(30),
      healthCheck: { path: '/sign-in', healthyHttpCodes: '200' },
    });
    this.service.service.attachToApplicationTargetGroup(target);
    const forward = ListenerAction.forward([target]);
    const listener = this.loadBalancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      certificates: [certificate],
      open: false,
      defaultAction:
        oidc === undefined
          ? forward
          : ListenerAction.authenticateOidc({ ...oidc, next: forward, allowHttpsOutbound: false }),
    });
    this.service.service.node.addDependency(listener);
  }

  /** Plans, the log of what was done to dead letters, and redrives that are under way outlive a task. */
  #keepState({ vpc, subnets }: Place): void {
    const securityGroup = new SecurityGroup(this, 'StateAccess', {
      vpc,
      description: 'ota-updater console, state folder',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.service.securityGroup, Port.tcp(2049), 'console');
    this.service.securityGroup.addEgressRule(securityGroup, Port.tcp(2049), 'state folder');
    const files = new FileSystem(this, 'State', {
      vpc,
      vpcSubnets: subnets,
      securityGroup,
      encrypted: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const point = new AccessPoint(this, 'StateFolder', {
      fileSystem: files,
      path: '/ota-updater',
      posixUser: { uid: USER, gid: '0' },
      createAcl: { ownerUid: USER, ownerGid: '0', permissions: '0700' },
    });
    this.service.task.addVolume({
      name: 'state',
      efsVolumeConfiguration: {
        fileSystemId: files.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: point.accessPointId, iam: 'ENABLED' },
      },
    });
    this.service.container.addMountPoints({ sourceVolume: 'state', containerPath: STATE, readOnly: false });
    files.grant(this.service.task.taskRole, 'elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite');
    this.service.service.node.addDependency(files.mountTargetsAvailable);
  }

  /** The address that the record of the console's name points to. */
  get address(): string {
    return Fn.join('', ['https://', this.loadBalancer.loadBalancerDnsName]);
  }
}
