using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Transport;

namespace AgentMesh.Remoting;

/// <summary>Reads the header of each accepted stream and runs the handler of its service.</summary>
internal sealed class StreamDispatcher(ConnectionHubSettings settings, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, ServiceHandler> _handlers = new(StringComparer.Ordinal);

    public ConnectionHubCounters Counters { get; } = new();

    public IDisposable Register(string service, ServiceHandler handler)
    {
        CheckName(service);
        if (!_handlers.TryAdd(service, handler))
            throw new ArgumentException($"the service '{service}' has a handler already", nameof(service));
        return new Registration(this, service, handler);
    }

    public IDisposable Replace(string service, ServiceHandler handler)
    {
        CheckName(service);
        _handlers[service] = handler;
        return new Registration(this, service, handler);
    }

    /// <summary>Accepts streams until the connection ends; completes when the last handler has.</summary>
    public async Task ServeAsync(IMeshConnection connection, CancellationToken stopping)
    {
        ConcurrentDictionary<Task, byte> running = new();
        try
        {
            while (await connection.AcceptStreamAsync(stopping).ConfigureAwait(false) is { } stream)
            {
                if (running.Count >= settings.StreamsPerConnectionMax)
                {
                    Counters.RefusedStreams.Increment();
                    stream.Abort(StreamCodes.TooManyStreams);
                    await stream.DisposeAsync().ConfigureAwait(false);
                    continue;
                }

                Task serving = HandleAsync(connection, stream, stopping);
                running.TryAdd(serving, 0);
                _ = serving.ContinueWith(done => running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or MeshException)
        {
            // The connection is over; Closed says why.
        }

        await Task.WhenAll(running.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task HandleAsync(IMeshConnection connection, IMeshStream stream, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            string? service = await ReadHeaderAsync(stream, stopping).ConfigureAwait(false);
            if (service is null)
            {
                Counters.BadHeaders.Increment();
                stream.Abort(StreamCodes.BadHeader);
            }
            else if (_handlers.TryGetValue(service, out ServiceHandler? handler))
            {
                Counters.AcceptedStreams.Increment();
                await handler(connection, stream, stopping).ConfigureAwait(false);
            }
            else
            {
                Counters.UnknownServices.Increment();
                stream.Abort(StreamCodes.UnknownService);
            }
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            stream.Abort(StreamCodes.ShuttingDown);
        }
        catch (Exception e)
        {
            // One stream of one peer: its handler's failure is counted and must not end the connection.
            Counters.FailedHandlers.Increment();
            Counters.LastHandlerFailure = e;
            stream.Abort(StreamCodes.HandlerFailed);
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<string?> ReadHeaderAsync(IMeshStream stream, CancellationToken stopping)
    {
        using CancellationTokenSource timeout = new(settings.HeaderTimeout, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        try
        {
            return await ServiceHeader.TryReadAsync(stream, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (IOException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void CheckName(string service)
    {
        if (!ServiceHeader.IsValidName(service))
            throw new ArgumentException($"'{service}' is not a service name: 1 to {ServiceHeader.NameBytesMax} characters of a-z, 0-9 and '-'", nameof(service));
    }

    private sealed class Registration(StreamDispatcher owner, string service, ServiceHandler handler) : IDisposable
    {
        public void Dispose() => owner._handlers.TryRemove(KeyValuePair.Create(service, handler));
    }
}
