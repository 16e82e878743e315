/** Which shapes of AWS's models the fields are that launch and scale instances (see limits.test.ts). */

import type { KindId } from "../../src/core/resource.ts";

type Row = { readonly field: string; readonly shape: string; readonly but?: readonly (string | number)[]; readonly why?: string };

const requirements = (at: string, service: "ec2" | "autoscaling"): readonly Row[] =>
  (
    [
      ["cpuManufacturers.*", "CpuManufacturer"],
      ["instanceGenerations.*", "InstanceGeneration"],
      ["bareMetal", "BareMetal"],
      ["burstablePerformance", "BurstablePerformance"],
      ["localStorage", "LocalStorage"],
      ["localStorageTypes.*", "LocalStorageType"],
      ["acceleratorTypes.*", "AcceleratorType"],
      ["acceleratorManufacturers.*", "AcceleratorManufacturer"],
      ["acceleratorNames.*", "AcceleratorName"],
    ] as const
  ).map(([field, shape]) => ({ field: `${at}.${field}`, shape: `${service}.${shape}` }));

const template = (field: string, shape: string): Row => ({ field: `launchTemplateData.${field}`, shape: `ec2.${shape}` });

export const COMPUTING_ROWS: Readonly<Record<KindId, readonly Row[]>> = {
  "ec2.aws/v1 Image": [
    { field: "architecture", shape: "ec2.ArchitectureValues" },
    { field: "virtualizationType", shape: "ec2.VirtualizationType" },
    { field: "rootDeviceType", shape: "ec2.DeviceType" },
  ],
  "ec2.aws/v1 LaunchTemplate": [
    { field: "launchTemplateName", shape: "ec2.LaunchTemplateName" },
    ...requirements("launchTemplateData.instanceRequirements", "ec2"),
    template("blockDeviceMappings.*.ebs.volumeType", "VolumeType"),
    template("instanceInitiatedShutdownBehavior", "ShutdownBehavior"),
    template("placement.tenancy", "Tenancy"),
    template("metadataOptions.httpTokens", "LaunchTemplateHttpTokensState"),
    template("metadataOptions.httpEndpoint", "LaunchTemplateInstanceMetadataEndpointState"),
    template("metadataOptions.httpProtocolIpv6", "LaunchTemplateInstanceMetadataProtocolIpv6"),
    template("metadataOptions.instanceMetadataTags", "LaunchTemplateInstanceMetadataTagsState"),
    template("instanceMarketOptions.marketType", "MarketType"),
    template("instanceMarketOptions.spotOptions.spotInstanceType", "SpotInstanceType"),
    template("instanceMarketOptions.spotOptions.instanceInterruptionBehavior", "InstanceInterruptionBehavior"),
    template("cpuOptions.amdSevSnp", "AmdSevSnpSpecification"),
    template("cpuOptions.nestedVirtualization", "NestedVirtualizationSpecification"),
    template("capacityReservationSpecification.capacityReservationPreference", "CapacityReservationPreference"),
    template("privateDnsNameOptions.hostnameType", "HostnameType"),
    template("maintenanceOptions.autoRecovery", "LaunchTemplateAutoRecoveryState"),
    template("networkPerformanceOptions.bandwidthWeighting", "InstanceBandwidthWeighting"),
  ],
  "autoscaling.aws/v1 AutoScalingGroup": [
    { field: "autoScalingGroupName", shape: "autoscaling.XmlStringMaxLen255" },
    { field: "launchTemplate.launchTemplateName", shape: "autoscaling.LaunchTemplateName" },
    ...requirements("mixedInstancesPolicy.launchTemplate.overrides.*.instanceRequirements", "autoscaling"),
    {
      field: "availabilityZoneDistribution.capacityDistributionStrategy",
      shape: "autoscaling.CapacityDistributionStrategy",
    },
    { field: "availabilityZoneImpairmentPolicy.impairedZoneHealthCheckBehavior", shape: "autoscaling.ImpairedZoneHealthCheckBehavior" },
    { field: "capacityReservationSpecification.capacityReservationPreference", shape: "autoscaling.CapacityReservationPreference" },
    { field: "instanceLifecyclePolicy.retentionTriggers.terminateHookAbandon", shape: "autoscaling.RetentionAction" },
    { field: "deletionProtection", shape: "autoscaling.DeletionProtection" },
    { field: "instanceRefresh.strategy", shape: "autoscaling.RefreshStrategy" },
    { field: "instanceRefresh.preferences.minHealthyPercentage", shape: "autoscaling.IntPercent" },
    { field: "instanceRefresh.preferences.maxHealthyPercentage", shape: "autoscaling.IntPercent100To200" },
    { field: "instanceRefresh.preferences.checkpointPercentages.*", shape: "autoscaling.NonZeroIntPercent" },
    { field: "instanceRefresh.preferences.checkpointDelay", shape: "autoscaling.CheckpointDelay" },
    { field: "instanceRefresh.preferences.bakeTime", shape: "autoscaling.BakeTime" },
    { field: "instanceRefresh.preferences.scaleInProtectedInstances", shape: "autoscaling.ScaleInProtectedInstances" },
    { field: "instanceRefresh.preferences.standbyInstances", shape: "autoscaling.StandbyInstances" },
  ],
  "autoscaling.aws/v1 ScalingPolicy": [
    { field: "autoScalingGroupName", shape: "autoscaling.XmlStringMaxLen255" },
    { field: "policyName", shape: "autoscaling.XmlStringMaxLen255" },
    {
      field: "targetTrackingConfiguration.predefinedMetricSpecification.predefinedMetricType",
      shape: "autoscaling.MetricType",
    },
    { field: "targetTrackingConfiguration.customizedMetricSpecification.statistic", shape: "autoscaling.MetricStatistic" },
  ],
};

/** Enums that AWS has in prose only (EC2 and EC2 Auto Scaling API References). */
export const COMPUTING_PROSE: readonly string[] = [
  ...["blockDeviceMappings.*.noDevice", "networkInterfaces.*.interfaceType", "placement.affinity", "creditSpecification.cpuCredits"].map(
    (field) => `LaunchTemplate.launchTemplateData.${field}`,
  ),
  ...["desiredCapacityType", "enabledMetrics.*", "suspendedProcesses.*"].map((field) => `AutoScalingGroup.${field}`),
  ...["onDemandAllocationStrategy", "spotAllocationStrategy"].map(
    (field) => `AutoScalingGroup.mixedInstancesPolicy.instancesDistribution.${field}`,
  ),
  ...["policyType", "adjustmentType", "metricAggregationType"].map((field) => `ScalingPolicy.${field}`),
  ...["period", "metrics.*.period", "metrics.*.metricStat.period"].map(
    (field) => `ScalingPolicy.targetTrackingConfiguration.customizedMetricSpecification.${field}`,
  ),
];
