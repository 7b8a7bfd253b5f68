namespace AgentMesh.Beacon.Wire;

/// <summary>The first byte of a frame after its length. The one place where these numbers are given out; a number that is no longer used stays reserved.</summary>
internal enum BeaconFrameType : byte
{
    /// <summary>From the device: which version it speaks and which devices may meet it here. Again when that changes.</summary>
    Hello = 0x01,

    /// <summary>From either side; the answer is <see cref="Pong"/> with the same bytes.</summary>
    Ping = 0x02,
    Pong = 0x03,

    /// <summary>From the device: is the other end of this channel at this IP address?</summary>
    Confirm = 0x04,

    /// <summary>From the beacon, once: its version, the allowance, and the address that the device is seen at.</summary>
    Welcome = 0x10,

    /// <summary>From the beacon: the device is seen at another address now.</summary>
    Observed = 0x11,

    /// <summary>From the beacon: both devices named each other; the channel carries datagrams to the other one.</summary>
    Channel = 0x12,

    /// <summary>From the beacon: the channel is closed.</summary>
    Gone = 0x13,

    /// <summary>From the beacon: datagrams were dropped because the allowance is used up.</summary>
    Limited = 0x14,

    /// <summary>From the beacon: its observer, and what opens it.</summary>
    Observer = 0x15,

    /// <summary>From the beacon: the answer to <see cref="Confirm"/>.</summary>
    Confirmed = 0x16,

    /// <summary>From a device that made codes: the places at which it is to be asked for them; all of them, again when that changes.</summary>
    CodePlaces = 0x40,

    /// <summary>From the beacon: what became of one of these places.</summary>
    CodePlace = 0x41,

    /// <summary>From a device that was told a code: a message for whoever has the place.</summary>
    CodeAsk = 0x42,

    /// <summary>From the beacon to who has the place: the message, and the number of who sent it.</summary>
    CodeAsked = 0x43,

    /// <summary>The answer to that number.</summary>
    CodeAnswer = 0x44,

    /// <summary>From the beacon: the answer of who has the place.</summary>
    CodeAnswered = 0x45,

    /// <summary>From the beacon: the message went nowhere.</summary>
    CodeNobody = 0x46,
}
