using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Hosting;
using AgentMesh.Node.Pools;
using Akka.Actor;

namespace AgentMesh.Node.Services;

/// <summary>Questions to the entities of this device, asked again when the actor system is replaced meanwhile.</summary>
internal sealed class Entities(GenerationKeeper generations, Func<Generation, MeshSharding?> shardingOf, PoolHost? pool, TimeProvider time)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>So long a member may need to join its pool, or to be known there.</summary>
    private static readonly TimeSpan PoolPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(20);

    /// <summary>Repeats a question whose answer is the same however often it is asked, until there is one.</summary>
    /// <exception cref="MeshException">What the entity said is wrong, or AM0320: no answer.</exception>
    public Task<T> AskAsync<T>(IJobMessage question, CancellationToken cancellationToken, TimeSpan? answerWithin = null)
        where T : class => AskAsync<T>(question.JobId.Home, sharding => sharding.TypesOf(question.JobId.Home)?.Jobs, question, answerWithin ?? AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(ICronMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(question.CronId.Home, sharding => sharding.TypesOf(question.CronId.Home)?.Crons, question, AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(IArrayMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(question.ArrayId.Home, sharding => sharding.TypesOf(question.ArrayId.Home)?.Arrays, question, AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(IWorkflowMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(question.WorkflowId.Home, sharding => sharding.TypesOf(question.WorkflowId.Home)?.Workflows, question, AnswerWithin, cancellationToken);

    /// <inheritdoc cref="AskAsync{T}(IJobMessage, CancellationToken, TimeSpan?)"/>
    public Task<T> AskAsync<T>(IGroupMessage question, CancellationToken cancellationToken)
        where T : class => AskAsync<T>(question.GroupId.Home, sharding => sharding.TypesOf(question.GroupId.Home)?.Groups, question, AnswerWithin, cancellationToken);

    private async Task<T> AskAsync<T>(HomeId home, Func<MeshSharding, IActorRef?> regionOf, object question, TimeSpan answerWithin, CancellationToken cancellationToken)
        where T : class
    {
        long start = time.GetTimestamp();
        while (true)
        {
            Generation generation = await generations.CurrentAsync(GiveUpAfter, cancellationToken).ConfigureAwait(false);
            if (shardingOf(generation) is { } sharding)
            {
                IActorRef region = regionOf(sharding)
                    ?? throw new MeshException(MeshErrors.UnknownPool, $"this device takes no part in {home}", "ask on a device that does; 'agentmesh status' shows the pool of a device");
                if (home.IsPool && pool?.ProblemOf(generation) is { } problem)
                {
                    if (time.GetElapsedTime(start) >= PoolPatience)
                    {
                        throw problem;
                    }

                    await Task.Delay(LookAgainAfter, time, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                try
                {
                    Task<object> asking = region.Ask<object>(question, answerWithin, cancellationToken);
                    if (await Task.WhenAny(asking, generation.System.WhenTerminated).ConfigureAwait(false) != asking)
                    {
                        // It went with the actor system: nobody will answer.
                        Forget(asking);
                        continue;
                    }

                    object answer = await asking.ConfigureAwait(false);
                    Problem? refusal = (answer as IRefusal)?.Problem;
                    if (home.IsPool && refusal?.Code == MeshErrors.NotYours && time.GetElapsedTime(start) < PoolPatience)
                    {
                        // The owner of the shard has not heard yet that this device is a member.
                        await Task.Delay(LookAgainAfter, time, cancellationToken).ConfigureAwait(false);
                        continue;
                    }

                    return answer as T ?? throw (refusal is { } wrong
                        ? new MeshException(wrong.Code, wrong.Text, wrong.NextStep ?? "")
                        : new InvariantException($"{answer.GetType().Name} is no answer to {question.GetType().Name}"));
                }
                catch (AskTimeoutException) when (time.GetElapsedTime(start) < GiveUpAfter + answerWithin)
                {
                    // The entity is busy, or was moved: the question is repeated.
                }
                catch (AskTimeoutException)
                {
                    throw home.IsPool
                        ? pool?.ProblemOf(generation) ?? new MeshException(MeshErrors.NoAnswer, $"no member of {home} answered for it", "its owner may be ending, held by a member that is not in reach, or of an older version that does not know what it is asked for; 'agentmesh doctor' shows the members of the pool")
                        : new MeshException(MeshErrors.NoAnswer, "the journal of this device did not answer", "see the node's log; a full or slow disk is the usual reason, or what a newer version has written into it");
                }
            }
            else
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void Forget(Task asking) =>
        _ = asking.ContinueWith(static lost => _ = lost.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
