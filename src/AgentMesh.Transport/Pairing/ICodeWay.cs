namespace AgentMesh.Transport.Pairing;

/// <summary>
/// Something beside sockets that carries messages of pairing-v1 between devices that do not know each other: a beacon. It does not wait and does not throw; what cannot be
/// carried is lost, as on a network. Thread-safe.
/// </summary>
public interface ICodeWay
{
    /// <summary>For people.</summary>
    string Name { get; }

    /// <summary>Messages pass now.</summary>
    bool IsOpen { get; }

    /// <summary>Who takes what comes; null drops it.</summary>
    ICodeTaker? Taker { get; set; }

    /// <summary>For which codes this device is to be asked from now on: all of them, by the number of their first word. At most <see cref="NameplatesMax"/>.</summary>
    void Offer(IReadOnlyList<ushort> nameplates);

    /// <summary>What became of an offered one, as far as it is known.</summary>
    CodePlaceState StateOf(ushort nameplate);

    /// <summary>To whoever offers this one.</summary>
    void Ask(ushort nameplate, byte[] message);

    /// <summary>To who asked under this number.</summary>
    void Answer(uint caller, byte[] message);

    /// <summary>Codes that can be offered at the same time.</summary>
    public const int NameplatesMax = 32;
}

/// <summary>Takes what comes over a way, on any thread; it does not wait.</summary>
public interface ICodeTaker
{
    void TakeQuestion(ICodeWay way, uint caller, byte[] message);

    void TakeAnswer(ICodeWay way, byte[] message);

    /// <summary>It has opened or closed, or the state of an offered code has changed.</summary>
    void TakeChange(ICodeWay way);
}

/// <summary>What became of a code at a way.</summary>
public enum CodePlaceState
{
    /// <summary>Not offered, or there is no answer yet.</summary>
    Unknown,

    /// <summary>It can be used.</summary>
    Open,

    /// <summary>Another device has a code with this first word.</summary>
    Occupied,

    /// <summary>There is no room, or its time is over.</summary>
    Refused,
}
