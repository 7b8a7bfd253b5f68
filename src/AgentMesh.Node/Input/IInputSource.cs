namespace AgentMesh.Node.Input;

/// <summary>Bytes for the input of a program, addressed by offset, kept until they are acknowledged.</summary>
internal interface IInputSource
{
    /// <summary>Completes at the next change. Take it before looking, so that none is missed.</summary>
    Task Changed { get; }

    /// <summary>There will be no more than <see cref="Length"/>.</summary>
    bool IsEnded { get; }

    long Length { get; }

    /// <summary>Of the terminal; null without one.</summary>
    (int Columns, int Rows)? Size { get; }

    /// <summary>The sender goes after <see cref="Length"/>, and the program is to wait for another one.</summary>
    bool IsLeaving => false;

    /// <summary>The receiver waits for another sender.</summary>
    void Left()
    {
    }

    /// <summary>The receiver has what is before the offset, whatever was acknowledged.</summary>
    void Begin(long offset);

    /// <returns>0 where nothing is there at the offset yet.</returns>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    void Acknowledge(long offset);

    /// <summary>The receiver takes no more.</summary>
    void Close();
}
