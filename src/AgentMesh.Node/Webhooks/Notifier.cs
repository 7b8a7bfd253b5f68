using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Output;

namespace AgentMesh.Node.Webhooks;

/// <summary>Sends what is told of the jobs, arrays and workflows, and the runs of schedules, whose home this device speaks for, a few at a time.</summary>
internal sealed class Notifier(SendWebhook send, ReadOutputEnds output, string secretFile) : IDisposable
{
    /// <summary>At the same time. The others wait, and each job or schedule has one on its way.</summary>
    public const int SendingMax = 8;

    /// <summary>Of these to one host and port.</summary>
    public const int SendingToOneMax = 2;

    private readonly SendingRooms _rooms = new(SendingMax, SendingToOneMax);

    /// <inheritdoc cref="SendingRooms.Receivers"/>
    public int Receivers => _rooms.Receivers;

    public void Dispose() => _rooms.Dispose();

    public async Task<DeliveryAnswer> DeliverAsync(Parcel parcel, CancellationToken cancellationToken)
    {
        try
        {
            // Output may still be on its way from the device that ran it, which keeps nobody else waiting.
            byte[] body = WebhookBody.Of(parcel, await EndsOfAsync(parcel, cancellationToken).ConfigureAwait(false));
            Uri url = NotifyUrl.Parse(parcel.Url);
            return await _rooms.SendAsync(url, () => send(new WebhookRequest(url, parcel.DeliveryId, body, WebhookSecrets.Read(secretFile)), cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException wrong)
        {
            // The file of secrets, or a store that does not answer: a person may have put it right by the next attempt.
            return new DeliveryAnswer(DeliveryVerdict.Again, null, new Problem(wrong.Code, wrong.Message, wrong.NextStep));
        }
    }

    private async Task<OutputEnds> EndsOfAsync(Parcel parcel, CancellationToken cancellationToken)
    {
        EndReport report = parcel.Report;
        return report.Text is { } text ? new OutputEnds(text, "")
            : report.StdoutBytes + report.StderrBytes == 0 ? new OutputEnds("", "")
            : await output(parcel.JobId, report.Attempt, report.StdoutBytes, report.StderrBytes, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>The ends of both streams of an attempt that is over; empty where they are not there any more.</summary>
internal delegate Task<OutputEnds> ReadOutputEnds(JobId job, int attempt, long stdoutBytes, long stderrBytes, CancellationToken cancellationToken);

/// <inheritdoc cref="WebhookClient.SendAsync"/>
internal delegate Task<DeliveryAnswer> SendWebhook(WebhookRequest request, CancellationToken cancellationToken);
