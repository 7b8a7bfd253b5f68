namespace AgentMesh.Node.Links;

/// <summary>How the search for one device goes. Thread-safe.</summary>
internal sealed class LinkKeeper
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _hurry = NewSource();
    private TaskCompletionSource _known = NewSource();

    public Task Running { get; set; } = Task.CompletedTask;

    public bool IsConnecting { get; set; }

    /// <summary>Why the last attempt failed; null after a success.</summary>
    public string? Problem { get; set; }

    /// <summary>Completes when the present attempt has failed or made a link.</summary>
    public Task Known
    {
        get
        {
            lock (_gate)
            {
                return _known.Task;
            }
        }
    }

    /// <summary>There is a reason to expect more of an attempt now than of the last one.</summary>
    public void Hurry()
    {
        lock (_gate)
        {
            _hurry.TrySetResult();
            if (_known.Task.IsCompleted)
            {
                _known = NewSource();
            }
        }
    }

    public void Linked()
    {
        lock (_gate)
        {
            _known.TrySetResult();
        }
    }

    /// <summary>Of the error behind <see cref="Problem"/>; null where nothing answered.</summary>
    public string? ProblemCode { get; private set; }

    public void Failed(string problem, string? code = null)
    {
        lock (_gate)
        {
            Problem = problem;
            ProblemCode = code;
            if (!_hurry.Task.IsCompleted)
            {
                // With a hurry the next attempt follows at once and tells more.
                _known.TrySetResult();
            }
        }
    }

    /// <returns>True when it was ended by <see cref="Hurry"/>.</returns>
    public async Task<bool> WaitAsync(TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        Task hurry;
        lock (_gate)
        {
            hurry = _hurry.Task;
        }

        await Task.WhenAny(hurry, Task.Delay(wait, time, cancellationToken)).ConfigureAwait(false);
        lock (_gate)
        {
            bool hurried = _hurry.Task.IsCompleted;
            _hurry = NewSource();
            return hurried;
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
