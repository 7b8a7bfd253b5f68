using System.Reflection;
using System.Runtime.CompilerServices;
using AgentMesh.Node.Control;
using AgentMesh.Transport;

namespace AgentMesh.Node.Tests.Administration;

/// <summary>The services of a node of which the history of a device, the output of a job and the way to another device are asked for; it counts what would have changed something.</summary>
public class AskedServices : DispatchProxy
{
    private int _changes;

    /// <summary>The second piece of output waits for it.</summary>
    internal TaskCompletionSource Second { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the reader of the output has gone.</summary>
    internal TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Func<string, CancellationToken, Task<IMeshStream>>? Way { get; set; }

    internal int Changes => _changes;

    internal static (IControlServices Services, AskedServices Asked) Create()
    {
        IControlServices services = Create<IControlServices, AskedServices>();
        return (services, (AskedServices)(object)services);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod?.Name)
        {
            case nameof(IControlServices.OutputAsync):
                return PiecesAsync((CancellationToken)args![1]!);
            case nameof(IControlServices.HistoryAsync):
                return Task.FromResult<IReadOnlyList<ConnectionView>>([]);
            case nameof(IControlServices.OpenControlAsync) when Way is not null:
                return Way((string)args![0]!, (CancellationToken)args[1]!);
            case nameof(IControlServices.ConfigAsync):
                return Task.FromResult(new ConfigView("secrets"));
            default:
                Interlocked.Increment(ref _changes);
                throw new NotSupportedException(targetMethod?.Name);
        }
    }

    private async IAsyncEnumerable<OutputView> PiecesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            yield return new OutputView(1, "stdout", 0, new byte[] { (byte)'a' });
            await Second.Task.WaitAsync(cancellationToken);
            yield return new OutputView(1, "stdout", 1, new byte[] { (byte)'b' });
        }
        finally
        {
            Left.TrySetResult();
        }
    }
}
