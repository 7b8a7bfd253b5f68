using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Names;

/// <summary>
/// Finds the addresses of a host: asks the resolver of the system, and where that fails or takes long, takes those at which the host answered before. Thread-safe.
/// </summary>
/// <param name="resolve">Throws a <see cref="SocketException"/> where it finds none.</param>
public sealed class NameLookup(INameMemory memory, Func<string, CancellationToken, Task<IPAddress[]>> resolve, TimeProvider time)
{
    /// <summary>A resolver that is gone is silent for ten seconds and more; one that works takes a few round trips. Longer is waited only where nothing is remembered.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FindOneWithin = TimeSpan.FromSeconds(5);

    public NameLookup(INameMemory memory, TimeProvider time)
        : this(memory, Dns.GetHostAddressesAsync, time)
    {
    }

    /// <summary>Asks the resolver each time and remembers nothing.</summary>
    public static NameLookup WithoutMemory { get; } = new(NoNameMemory.Instance, TimeProvider.System);

    /// <param name="host">A name, or an address in text, which is its own answer.</param>
    /// <exception cref="SocketException">It cannot be resolved, and nothing is remembered.</exception>
    public async Task<NameAnswer> FindAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out IPAddress? given))
        {
            return new NameAnswer([given], []);
        }

        IReadOnlyList<IPAddress> remembered = memory.Of(host);
        Task<IPAddress[]> asking = resolve(host, cancellationToken);
        if (remembered.Count == 0)
        {
            return new NameAnswer(await asking.ConfigureAwait(false), remembered);
        }

        IReadOnlyList<IPAddress> resolved = await InTimeAsync(asking, cancellationToken).ConfigureAwait(false);
        memory.Asked(host, isResolved: resolved.Count > 0);
        return new NameAnswer(resolved, remembered);
    }

    /// <summary>One address of a host of those that are usable, IPv4 before IPv6.</summary>
    /// <returns>Without an address why there is none.</returns>
    public async Task<(IPEndPoint? Address, string? Problem)> FindOneAsync(string host, int port, Func<IPAddress, bool> isUsable, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(FindOneWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            NameAnswer answer = await FindAsync(host, either.Token).ConfigureAwait(false);
            return answer.Best.OrderBy(address => address.AddressFamily).FirstOrDefault(isUsable) is { } usable
                ? (new IPEndPoint(usable, port), null)
                : (null, "it has no address of a family that this device listens on");
        }
        catch (SocketException error)
        {
            return (null, error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, "its name could not be resolved in time");
        }
    }

    /// <inheritdoc cref="INameMemory.Answered"/>
    public void Answered(string host, IPAddress address)
    {
        // What stands for itself needs nobody to remember it.
        if (!IPAddress.TryParse(host, out _))
        {
            memory.Answered(host, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        }
    }

    private async Task<IReadOnlyList<IPAddress>> InTimeAsync(Task<IPAddress[]> asking, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(asking, Task.Delay(Patience, time, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (!asking.IsCompleted)
        {
            // Nobody waits for it any more, and so nobody would see how it ends.
            _ = asking.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return [];
        }

        try
        {
            return await asking.ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
