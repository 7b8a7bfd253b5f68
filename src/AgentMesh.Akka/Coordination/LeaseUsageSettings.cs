namespace Akka.Coordination;

/// <summary>Which lease a part uses; kept for the signatures, the engine has no lease implementation.</summary>
public sealed class LeaseUsageSettings(string leaseImplementation, TimeSpan leaseRetryInterval)
{
    public string LeaseImplementation { get; } = leaseImplementation;

    public TimeSpan LeaseRetryInterval { get; } = leaseRetryInterval;

    public override string ToString() => $"LeaseUsageSettings({LeaseImplementation}, {LeaseRetryInterval})";
}
