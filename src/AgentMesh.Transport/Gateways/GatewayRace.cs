namespace AgentMesh.Transport.Gateways;

/// <summary>
/// All protocols are asked at the same time whether the gateway speaks them; the first that says so maps. Only asking is raced: two mappings of one port, and deleting the
/// second, would take the first away at gateways that keep both in one table.
/// </summary>
internal static class GatewayRace
{
    public static async Task<(IGatewayProtocol? Protocol, GatewayMapping? Mapping, IReadOnlyList<GatewayFailure> Failures)> RunAsync(
        IReadOnlyList<IGatewayProtocol> protocols, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<(IGatewayProtocol Protocol, GatewayFailure? Failure)>> probes = [.. protocols.Select(protocol => ProbeAsync(protocol, over.Token))];
        var failures = new List<GatewayFailure>();
        try
        {
            while (probes.Count > 0)
            {
                Task<(IGatewayProtocol Protocol, GatewayFailure? Failure)> done = await Task.WhenAny(probes).ConfigureAwait(false);
                probes.Remove(done);
                (IGatewayProtocol protocol, GatewayFailure? failure) = await done.ConfigureAwait(false);
                if (failure is { } silent)
                {
                    failures.Add(silent);
                    continue;
                }

                MapResult result = await protocol.MapAsync(null, cancellationToken).ConfigureAwait(false);
                if (result.Mapping is { } mapping)
                {
                    return (protocol, mapping, failures);
                }

                failures.Add(result.Failure);
            }

            return (null, null, failures);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(probes).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private static async Task<(IGatewayProtocol Protocol, GatewayFailure? Failure)> ProbeAsync(IGatewayProtocol protocol, CancellationToken cancellationToken) =>
        (protocol, await protocol.ProbeAsync(cancellationToken).ConfigureAwait(false));
}
