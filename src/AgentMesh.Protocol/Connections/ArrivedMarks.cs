using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Connections;

/// <summary>How many packets arrived with which mark, each packet once.</summary>
internal struct ArrivedMarks
{
    private ulong _ect0;
    private ulong _ect1;

    /// <summary>Packets that a queue on the way marked instead of dropping them.</summary>
    public ulong Ce { get; private set; }

    public readonly bool IsEmpty => (_ect0 | _ect1 | Ce) == 0;

    public readonly EcnCountsFrame Frame => new(_ect0, _ect1, Ce);

    public void Add(EcnCodepoint ecn)
    {
        switch (ecn)
        {
            case EcnCodepoint.Ect0:
                _ect0++;
                break;
            case EcnCodepoint.Ect1:
                _ect1++;
                break;
            case EcnCodepoint.Ce:
                Ce++;
                break;
        }
    }
}
