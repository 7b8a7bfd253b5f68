using System.Net;

namespace AgentMesh.Transport.Turn;

/// <summary>Takes a message of a server; its bytes may be written over.</summary>
/// <param name="from">Who sent it.</param>
internal delegate void TurnTaker(Span<byte> message, IPEndPoint from);

/// <summary>What carries messages between this device and a TURN server.</summary>
internal interface ITurnLink : IAsyncDisposable
{
    /// <summary>Sends at once or loses it; never waits, never throws. Thread-safe.</summary>
    /// <param name="to">The server.</param>
    void Send(ReadOnlySpan<byte> message, IPEndPoint to);

    /// <summary>Gives every message that comes to <paramref name="take"/>, until the link is at its end. Called once.</summary>
    /// <exception cref="OperationCanceledException">Nobody wants more.</exception>
    Task ReceiveAsync(TurnTaker take, CancellationToken cancellationToken);
}
