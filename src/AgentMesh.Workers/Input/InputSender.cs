namespace AgentMesh.Workers.Input;

/// <summary>Who sends the input of a program, until it is disposed or another one takes its place: then each call throws <see cref="IOException"/>.</summary>
public sealed class InputSender : IDisposable
{
    private readonly ProgramInput _input;

    internal InputSender(ProgramInput input) => _input = input;

    /// <summary>Waits for the program to start. Returns the offset from which on input is wanted.</summary>
    public Task<long> ReadyAsync(CancellationToken cancellationToken) => _input.ReadyAsync(this, cancellationToken);

    /// <summary>Waits while the program does not read. What is there already is skipped; a gap is an error.</summary>
    /// <returns>False when the program takes no more.</returns>
    public ValueTask<bool> WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => _input.WriteAsync(this, offset, data, cancellationToken);

    /// <summary>There is no more after <paramref name="offset"/>.</summary>
    public void End(long offset) => _input.End(this, offset);

    /// <summary>Goes after <paramref name="offset"/>: the program waits for another sender, however long.</summary>
    public void Leave(long offset) => _input.Leave(this, offset);

    public void Resize(int columns, int rows) => _input.Resize(this, columns, rows);

    public void Dispose() => _input.Detach(this);
}
