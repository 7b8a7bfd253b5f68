using System.Threading.Channels;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Tests.Webhooks;

/// <summary>Sends nothing: the test sees each parcel and answers it.</summary>
internal sealed class ParcelsOfTest
{
    private readonly Channel<SentParcel> _sent = Channel.CreateUnbounded<SentParcel>();

    /// <summary>Attempts that the test has not seen.</summary>
    public int Waiting => _sent.Reader.Count;

    public Task<DeliveryAnswer> Deliver(Parcel parcel, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<DeliveryAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _sent.Writer.TryWrite(new SentParcel(parcel, answer, cancellationToken));
        return answer.Task.WaitAsync(cancellationToken);
    }

    public async Task<SentParcel> Next(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        return await _sent.Reader.ReadAsync(limit.Token);
    }
}

internal sealed record SentParcel(Parcel Parcel, TaskCompletionSource<DeliveryAnswer> Answered, CancellationToken Cancelled)
{
    public void Answer(int status, TimeSpan? retryAfter = null) => Answered.SetResult(DeliveryAnswer.Of(status, "", retryAfter));
}
