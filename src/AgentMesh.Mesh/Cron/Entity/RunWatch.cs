using AgentMesh.Mesh.Jobs;
using Akka.Actor;

namespace AgentMesh.Mesh.Cron.Entity;

/// <summary>
/// What a schedule asks about the jobs of its runs: that they are there, then that they are over. Unanswered questions are asked again; a job that is there
/// already is not submitted twice, because its id is that of the fire.
/// </summary>
internal sealed class RunWatch(IActorRef jobs, TimeProvider time)
{
    private static readonly TimeSpan SubmitAgainAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AwaitFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AwaitAgainAfter = AwaitFor + TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Dictionary<JobId, Question> _questions = [];

    public bool IsThere(JobId job) => _questions.TryGetValue(job, out Question? question) && question.IsThere;

    public void Forget(JobId job) => _questions.Remove(job);

    /// <summary>Asks what is due; nothing is asked about runs that are over.</summary>
    /// <returns>How long until the next question; null while there is none to ask.</returns>
    public TimeSpan? Ask(CronState cron, IActorRef asker)
    {
        TimeSpan? next = null;
        bool cancel = cron is { Buffered: not null, Spec.Overlap: CronOverlap.Cancel };
        foreach (CronRun run in cron.Running)
        {
            if (!_questions.TryGetValue(run.JobId, out Question? question))
            {
                _questions[run.JobId] = question = new Question();
            }

            if (cancel && question is { IsThere: true, IsCancelled: false })
            {
                question.IsCancelled = true;
                jobs.Tell(new CancelJob(run.JobId, cron.Spec!.Job.Caller), asker);
            }

            TimeSpan left = question.Wait - time.GetElapsedTime(question.AskedAt);
            if (left <= TimeSpan.Zero)
            {
                question.AskedAt = time.GetTimestamp();
                question.IsCancelled = false;
                question.Wait = left = question.IsThere ? AwaitAgainAfter : SubmitAgainAfter;
                jobs.Tell(question.IsThere ? new AwaitJob(run.JobId, time.GetUtcNow() + AwaitFor) : CronRules.Submission(cron, run), asker);
            }

            next = next < left ? next : left;
        }

        return next;
    }

    /// <summary>The job is on disk: from now on its end is waited for.</summary>
    public void Found(JobId job)
    {
        if (_questions.TryGetValue(job, out Question? question) && !question.IsThere)
        {
            question.IsThere = true;
            question.Wait = TimeSpan.Zero;
        }
    }

    /// <summary>It is not over yet.</summary>
    public void Waits(JobId job)
    {
        if (_questions.TryGetValue(job, out Question? question))
        {
            question.AskedAt = time.GetTimestamp();
            question.Wait = LookAgainAfter;
        }
    }

    /// <summary>There is no such job after all.</summary>
    public void Lost(JobId job)
    {
        if (_questions.TryGetValue(job, out Question? question))
        {
            question.IsThere = false;
            Waits(job);
        }
    }

    private sealed class Question
    {
        public bool IsThere { get; set; }

        /// <summary>The wish was told; it is told again with the next question.</summary>
        public bool IsCancelled { get; set; }

        public long AskedAt { get; set; }

        public TimeSpan Wait { get; set; } = TimeSpan.Zero;
    }
}
