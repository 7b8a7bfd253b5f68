namespace AgentMesh.Protocol.Recovery;

/// <summary>What there was before packets were called lost, until it is known that they are: all of them may yet arrive.</summary>
internal sealed class LossUndo
{
    private ShortTermBounds _shortTerm;
    private double _ceiling;
    private int _suspected;
    private bool _isConfirmed;

    /// <summary>What was left because of the losses.</summary>
    public BbrState? Left { get; set; }

    /// <summary>The first losses of a round.</summary>
    public void Begin(in ShortTermBounds shortTerm, double ceiling)
    {
        _shortTerm = shortTerm;
        _ceiling = ceiling;
        _suspected = 0;
        _isConfirmed = false;
        Left = null;
    }

    /// <summary>A queue said itself that it is too long: whatever becomes of the packets, nothing is taken back.</summary>
    public void Confirm() => _isConfirmed = true;

    public void Suspect() => _suspected++;

    /// <summary>One that had been called lost arrived.</summary>
    /// <returns>True when it was the last of them.</returns>
    public bool Cleared() => _suspected > 0 && --_suspected == 0 && !_isConfirmed;

    public void Restore(ref ShortTermBounds shortTerm, InflightCeiling ceiling)
    {
        shortTerm.Undo(_shortTerm);
        ceiling.Undo(_ceiling);
    }
}
