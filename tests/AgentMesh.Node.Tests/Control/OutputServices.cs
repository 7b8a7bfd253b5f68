using System.Reflection;
using AgentMesh.Node.Control;

namespace AgentMesh.Node.Tests.Control;

/// <summary>The services of a node of which only the output of a job is asked for.</summary>
public class OutputServices : DispatchProxy
{
    private OutputView?[] _pieces = [];

    /// <param name="pieces">Null for a failure.</param>
    internal static IControlServices Of(params OutputView?[] pieces)
    {
        IControlServices services = Create<IControlServices, OutputServices>();
        ((OutputServices)(object)services)._pieces = pieces;
        return services;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod?.Name == nameof(IControlServices.OutputAsync) ? PiecesAsync() : throw new NotSupportedException(targetMethod?.Name);

    private async IAsyncEnumerable<OutputView> PiecesAsync()
    {
        foreach (OutputView? piece in _pieces)
        {
            await Task.Yield();
            yield return piece ?? throw new InvalidOperationException("the test says so");
        }
    }
}
