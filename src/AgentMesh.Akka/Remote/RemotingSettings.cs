using Akka.Configuration;

namespace Akka.Remote;

/// <summary>Section <c>akka.remote</c>; what each means stands there.</summary>
internal sealed class RemotingSettings
{
    public RemotingSettings(Config config)
    {
        Config remote = config.GetConfig("akka.remote");
        TransportNames = [.. remote.GetStringList("enabled-transports")];
        StartupTimeout = remote.GetTimeSpan("startup-timeout");
        ShutdownTimeout = remote.GetTimeSpan("shutdown-timeout");
        FlushWait = remote.GetTimeSpan("flush-wait-on-shutdown");
        HandshakeTimeout = remote.GetTimeSpan("handshake-timeout");
        GateMax = remote.GetTimeSpan("retry-gate-closed-for");
        QueueSize = remote.GetInt("outbound-queue-size");
        BatchBytes = (int)(remote.GetByteSize("batch-bytes", null) ?? 32 * 1024);
        SystemBufferSize = remote.GetInt("system-message-buffer-size");
        SystemEarlyMax = remote.GetInt("system-message-early-max");
        ResendInterval = remote.GetTimeSpan("resend-interval");
        ResendLimit = remote.GetInt("resend-limit");
        DeliveryTimeout = remote.GetTimeSpan("initial-system-message-delivery-timeout");
        UntrustedMode = remote.GetBoolean("untrusted-mode");
        RefuseHarmful = UntrustedMode || remote.GetBoolean("refuse-harmful");
        OwnSendersOnly = remote.GetBoolean("own-senders-only");
        TrustedSelectionPaths = remote.GetStringList("trusted-selection-paths").ToHashSet(StringComparer.Ordinal);
        Watch = remote.GetConfig("watch-failure-detector");
    }

    public IReadOnlyList<string> TransportNames { get; }

    public TimeSpan StartupTimeout { get; }

    public TimeSpan ShutdownTimeout { get; }

    public TimeSpan FlushWait { get; }

    public TimeSpan HandshakeTimeout { get; }

    public TimeSpan GateMax { get; }

    public int QueueSize { get; }

    public int BatchBytes { get; }

    public int SystemBufferSize { get; }

    public int SystemEarlyMax { get; }

    public TimeSpan ResendInterval { get; }

    public int ResendLimit { get; }

    public TimeSpan DeliveryTimeout { get; }

    public bool UntrustedMode { get; }

    public bool RefuseHarmful { get; }

    public bool OwnSendersOnly { get; }

    public IReadOnlySet<string> TrustedSelectionPaths { get; }

    public Config Watch { get; }
}
