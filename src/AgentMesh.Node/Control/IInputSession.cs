namespace AgentMesh.Node.Control;

/// <summary>Somebody sends the input of a program. Ends with its disposal, and the program waits for the next one for as long as its device says.</summary>
internal interface IInputSession : IAsyncDisposable
{
    /// <summary>Completes when the program takes no more.</summary>
    /// <exception cref="Errors.MeshException">The device refuses it.</exception>
    Task Closed { get; }

    /// <summary>Waits while the program does not read.</summary>
    /// <returns>False when the program takes no more.</returns>
    ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    void End();

    void Resize(int columns, int rows);

    /// <summary>Completes when the program waits for another sender, however long, or takes no more.</summary>
    Task LeaveAsync(CancellationToken cancellationToken);
}
