/** What a launch template says of the instances it launches. */

import { z } from "zod";
import { field, tagMap } from "../core/field.ts";
import { instanceRequirements } from "./instance-requirements.ts";

const id = (doc: string) => field(z.string().min(1).optional(), { doc });
const flag = (doc: string) => field(z.boolean().optional(), { doc });
const count = (doc: string, min = 0) => field(z.int().min(min).optional(), { doc });
const onOff = (doc: string) => field(z.enum(["disabled", "enabled"]).optional(), { doc });
const launched = (what: string) =>
  field(tagMap({ anyCharacter: true }).optional(), { doc: `The tags of ${what}, beside those that a launch adds.` });

const ebs = z.strictObject({
  volumeSize: field(z.int().min(1).max(65_536).optional(), { doc: "Its size, in GiB; the snapshot's when absent." }),
  volumeType: field(z.enum(["standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"]).optional(), { doc: "Its type." }),
  iops: count("Its I/O operations a second.", 100),
  throughput: count("Its throughput, in MiB/s.", 125),
  encrypted: flag("Whether it is encrypted."),
  kmsKeyId: id("The KMS key that encrypts it."),
  snapshotId: id("The snapshot it begins with."),
  deleteOnTermination: flag("Whether it goes with its instance."),
  volumeInitializationRate: count("How fast it is filled from its snapshot, in MiB/s.", 100),
});

const blockDevice = z.strictObject({
  deviceName: field(z.string().min(1), { doc: "The device, such as /dev/xvda." }),
  virtualName: id("Of an instance store volume: ephemeral0 and so on."),
  ebs: field(ebs.optional(), { doc: "Of an EBS volume: what it is." }),
  noDevice: field(z.literal("").optional(), { doc: "The empty text leaves the device of the image out." }),
});

const networkInterface = z.strictObject({
  deviceIndex: count("Its place on the instance; the primary interface has 0."),
  networkCardIndex: count("The network card it is on."),
  interfaceType: field(z.enum(["interface", "efa", "efa-only"]).optional(), { doc: "What it is." }),
  networkInterfaceId: id("An interface that exists already."),
  subnetId: id("Its subnet; that of an Auto Scaling group comes before it."),
  groups: field(z.array(z.string().min(1)).min(1).optional(), { doc: "Its security groups.", compare: "set" }),
  description: id("What it is for."),
  associatePublicIpAddress: flag("Whether it gets a public address."),
  associateCarrierIpAddress: flag("Whether it gets a carrier address, in a Wavelength Zone."),
  deleteOnTermination: flag("Whether it goes with its instance."),
  privateIpAddress: id("Its primary private address."),
  privateIpAddresses: field(
    z
      .array(
        z.strictObject({
          privateIpAddress: field(z.string().min(1), { doc: "The address." }),
          primary: flag("Whether it is the primary one."),
        }),
      )
      .min(1)
      .optional(),
    { doc: "Its private addresses." },
  ),
  secondaryPrivateIpAddressCount: count("How many more private addresses it gets."),
  ipv4PrefixCount: count("How many IPv4 prefixes it gets."),
  ipv6AddressCount: count("How many IPv6 addresses it gets."),
  ipv6PrefixCount: count("How many IPv6 prefixes it gets."),
  primaryIpv6: flag("Whether its first IPv6 address becomes the primary one."),
  connectionTrackingSpecification: field(
    z
      .strictObject({
        tcpEstablishedTimeout: field(z.int().min(60).max(432_000).optional(), { doc: "Of idle TCP connections, in seconds." }),
        udpStreamTimeout: field(z.int().min(60).max(180).optional(), { doc: "Of idle UDP streams, in seconds." }),
        udpTimeout: field(z.int().min(30).max(60).optional(), { doc: "Of other idle UDP flows, in seconds." }),
      })
      .optional(),
    { doc: "How long idle connections are tracked." },
  ),
});

const placement = z.strictObject({
  availabilityZone: id("The availability zone; that of an Auto Scaling group's subnet comes before it."),
  affinity: field(z.enum(["default", "host"]).optional(), { doc: "Whether a stopped instance returns to its Dedicated Host." }),
  groupName: id("The placement group, by name."),
  groupId: id("The placement group, by ID."),
  partitionNumber: count("The partition of the placement group.", 1),
  hostId: id("The Dedicated Host."),
  hostResourceGroupArn: id("The group of Dedicated Hosts."),
  tenancy: field(z.enum(["default", "dedicated", "host"]).optional(), { doc: "Whether the hardware is shared." }),
});

const marketOptions = z.strictObject({
  marketType: field(z.enum(["spot", "capacity-block", "interruptible-capacity-reservation", "on-demand"]).optional(), {
    doc: "How the instance is bought.",
  }),
  spotOptions: field(
    z
      .strictObject({
        maxPrice: id("The most that is paid an hour, in US dollars; the On-Demand price when absent."),
        spotInstanceType: field(z.enum(["one-time", "persistent"]).optional(), { doc: "Whether an interrupted request stays open." }),
        instanceInterruptionBehavior: field(z.enum(["hibernate", "stop", "terminate"]).optional(), {
          doc: "What becomes of an interrupted instance.",
        }),
      })
      .optional(),
    { doc: "Of Spot Instances: on what terms." },
  ),
});

const metadataOptions = z.strictObject({
  httpTokens: field(z.enum(["optional", "required"]).optional(), { doc: "Whether a session token is needed (IMDSv2)." }),
  httpPutResponseHopLimit: field(z.int().min(1).max(64).optional(), { doc: "How far answers may travel, in hops." }),
  httpEndpoint: onOff("Whether metadata can be read at all."),
  httpProtocolIpv6: onOff("Whether they can be read by IPv6."),
  instanceMetadataTags: onOff("Whether the instance's tags are among them."),
});

const capacityReservation = z.strictObject({
  capacityReservationPreference: field(z.enum(["capacity-reservations-only", "open", "none"]).optional(), {
    doc: "Whether reserved capacity is used.",
  }),
  capacityReservationTarget: field(
    z
      .strictObject({
        capacityReservationId: id("A reservation."),
        capacityReservationResourceGroupArn: id("A group of reservations."),
      })
      .optional(),
    { doc: "Which reserved capacity is used." },
  ),
});

const tagSpecifications = z.strictObject({
  instance: launched("instances"),
  volume: launched("their volumes"),
  "network-interface": launched("their network interfaces"),
  "spot-instances-request": launched("Spot requests"),
});

// "User data is limited to 16 KB, in raw form, before it is base64-encoded" (EC2 user guide).
const USER_DATA_BYTES_MAX = 16 * 1024;

const userData = () =>
  z.string().superRefine((text, context) => {
    const size = Buffer.byteLength(text);
    const message = `must have at most ${USER_DATA_BYTES_MAX} bytes, but has ${size}`;
    if (size > USER_DATA_BYTES_MAX) context.addIssue({ code: "custom", message });
  });

const parts = {
  placement: field(placement.optional(), { doc: "Where the instance runs." }),
  monitoring: field(z.strictObject({ enabled: field(z.boolean(), { doc: "Whether metrics come every minute." }) }).optional(), {
    doc: "Detailed monitoring.",
  }),
  metadataOptions: field(metadataOptions.optional(), { doc: "How the instance reads its metadata." }),
  instanceMarketOptions: field(marketOptions.optional(), { doc: "How the instance is bought, where not On-Demand." }),
  creditSpecification: field(
    z.strictObject({ cpuCredits: field(z.enum(["standard", "unlimited"]), { doc: "Whether more CPU is used at a price." }) }).optional(),
    { doc: "Of burstable types: what follows when the CPU credits are used up." },
  ),
  cpuOptions: field(
    z
      .strictObject({
        coreCount: count("How many cores.", 1),
        threadsPerCore: field(z.int().min(1).max(2).optional(), { doc: "1 switches multithreading off." }),
        amdSevSnp: onOff("Whether AMD SEV-SNP protects its memory."),
        nestedVirtualization: onOff("Whether it may run virtual machines."),
      })
      .optional(),
    { doc: "Its CPU, where not the type's own." },
  ),
  capacityReservationSpecification: field(capacityReservation.optional(), { doc: "Reserved capacity." }),
  licenseSpecifications: field(
    z
      .array(z.strictObject({ licenseConfigurationArn: field(z.string().min(1), { doc: "The license configuration." }) }))
      .min(1)
      .optional(),
    { doc: "Its licenses." },
  ),
  hibernationOptions: field(z.strictObject({ configured: field(z.boolean(), { doc: "Whether it can hibernate." }) }).optional(), {
    doc: "Hibernation.",
  }),
  enclaveOptions: field(z.strictObject({ enabled: field(z.boolean(), { doc: "Whether it may have an enclave." }) }).optional(), {
    doc: "Nitro Enclaves.",
  }),
  privateDnsNameOptions: field(
    z
      .strictObject({
        hostnameType: field(z.enum(["ip-name", "resource-name"]).optional(), { doc: "What its host name is made of." }),
        enableResourceNameDnsARecord: flag("Whether the resource name has an A record."),
        enableResourceNameDnsAAAARecord: flag("Whether the resource name has an AAAA record."),
      })
      .optional(),
    { doc: "Its host name, where not as its subnet says." },
  ),
  maintenanceOptions: field(
    z.strictObject({ autoRecovery: field(z.enum(["default", "disabled"]), { doc: "Whether it recovers by itself." }) }).optional(),
    { doc: "Automatic recovery." },
  ),
  networkPerformanceOptions: field(
    z
      .strictObject({
        bandwidthWeighting: field(z.enum(["default", "vpc-1", "ebs-1"]), { doc: "Whether the VPC or EBS gets more of it." }),
      })
      .optional(),
    { doc: "Its bandwidth." },
  ),
};

// EC2 API Reference, InstanceRequirementsRequest.
const requirements = instanceRequirements({
  types: ["gpu", "fpga", "inference", "media"],
  manufacturers: ["amazon-web-services", "amd", "nvidia", "xilinx", "habana"],
  names: [
    ...(["a100", "inferentia", "k520", "k80", "m60", "radeon-pro-v520", "t4", "vu9p", "v100", "a10g", "h100", "t4g"] as const),
    ...["l40s", "l4", "gaudi-hl-205", "inferentia2", "trainium", "trainium2", "u30"],
  ],
});

/** A version's content, whole: what it does not name is not set. */
export const launchTemplateData = () =>
  z.strictObject({
    imageId: field(z.string().min(1).optional(), {
      doc: "The machine image, or `resolve:ssm:` and the parameter that names it at each launch.",
      ref: "ec2.aws/v1 Image.imageId",
    }),
    instanceType: field(
      z
        .string()
        .max(255)
        .regex(/^[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)$/, "must be an instance type, such as t3.medium")
        .optional(),
      { doc: "The instance type." },
    ),
    instanceRequirements: field(requirements.optional(), { doc: "Instead of a type: what every type must have." }),
    keyName: field(z.string().min(1).max(255).optional(), { doc: "The key pair for SSH.", ref: "ec2.aws/v1 KeyPair.keyName" }),
    securityGroupIds: field(z.array(z.string().min(1)).min(1).optional(), {
      doc: "Its security groups.",
      compare: "set",
      ref: "ec2.aws/v1 SecurityGroup.groupId",
    }),
    securityGroups: field(z.array(z.string().min(1)).min(1).optional(), {
      doc: "Its security groups by name, in a default VPC.",
      compare: "set",
    }),
    iamInstanceProfile: field(
      z
        .strictObject({
          name: field(z.string().min(1).optional(), { doc: "By name.", ref: "iam.aws/v1 InstanceProfile.instanceProfileName" }),
          arn: field(z.string().min(1).optional(), { doc: "Or by ARN.", ref: "iam.aws/v1 InstanceProfile.arn" }),
        })
        .optional(),
      { doc: "The instance profile: what it may do at AWS." },
    ),
    userData: field(userData().optional(), { doc: "The script that the first boot runs, as plain text." }),
    ebsOptimized: flag("Whether it has bandwidth of its own to EBS."),
    blockDeviceMappings: field(z.array(blockDevice).min(1).optional(), { doc: "Its volumes, where not the image's own." }),
    networkInterfaces: field(z.array(networkInterface).min(1).optional(), { doc: "Its network interfaces; then they hold the groups." }),
    tagSpecifications: field(tagSpecifications.optional(), { doc: "The tags of what is launched, by type of resource." }),
    disableApiTermination: flag("Whether AWS refuses to terminate it."),
    disableApiStop: flag("Whether AWS refuses to stop it."),
    instanceInitiatedShutdownBehavior: field(z.enum(["stop", "terminate"]).optional(), { doc: "What a shutdown from inside does." }),
    kernelId: id("The kernel, of old images."),
    ramDiskId: id("The RAM disk, of old images."),
    ...parts,
  });

/** As `launchTemplateData` accepts it. */
export type LaunchTemplateData = z.infer<ReturnType<typeof launchTemplateData>>;
