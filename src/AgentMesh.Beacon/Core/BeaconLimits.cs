namespace AgentMesh.Beacon.Core;

/// <summary>What a beacon gives to its devices. Immutable.</summary>
public sealed record BeaconLimits
{
    /// <summary>Devices at one time; further ones are sent away.</summary>
    public int DevicesMax { get; init; } = 10_000;

    /// <summary>Channels at one time; further pairs of devices get none until others go.</summary>
    public int ChannelsMax { get; init; } = 100_000;

    /// <summary>Bytes a second that are relayed for the device that sends them; what is above is dropped.</summary>
    public long BytesPerSecond { get; init; } = 8 * 1024 * 1024;

    /// <summary>Bytes a second that are relayed in all; 0 for no bound. What is above waits a little and is served in turn.</summary>
    public long TotalBytesPerSecond { get; init; }

    /// <summary>Bytes that may wait for their turn, of one device and of all.</summary>
    public int WaitingBytesOfEach { get; init; } = 64 * 1024;

    public int WaitingBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes at once; a window of two megabytes passes without loss.</summary>
    public long BurstBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Frames that wait to be sent to a device; when there are more its connection ends.</summary>
    public int FramesMax { get; init; } = 2 * Wire.BeaconFrame.DevicesMax + 64;

    /// <summary>Places for codes at one time, of all devices.</summary>
    public int CodePlacesMax { get; init; } = 4_096;

    /// <summary>Devices that ask at such places at one time.</summary>
    public int CodeCallsMax { get; init; } = 10_000;

    /// <summary>Devices that may ask at one place in all: the right one, those that mistyped, and some that guess.</summary>
    public int CallsPerCodePlace { get; init; } = 16;

    /// <summary>Messages that are passed on in either direction between one device and one place. An exchange with every repetition takes less than half.</summary>
    public int MessagesPerCodeCall { get; init; } = 48;

    /// <summary>Client addresses whose allowances for codes are remembered.</summary>
    public int CodeSourcesMax { get; init; } = 4_096;

    /// <summary>"I do not know this channel, or not from there" a second, for all together.</summary>
    public int NoticesPerSecond { get; init; } = 1_000;

    /// <summary>Answers of the observer to one device: so many at once, and a tenth of that a second.</summary>
    public int ObservationsMax { get; init; } = 300;

    /// <summary>Answers to one device about where another one is: so many at once, and one a second.</summary>
    public int ConfirmationsMax { get; init; } = 16;
}
