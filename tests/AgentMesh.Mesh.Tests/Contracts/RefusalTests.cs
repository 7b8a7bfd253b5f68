using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Tests.Contracts;

public sealed class RefusalTests
{
    /// <summary>A refusal that is not known as one would be taken for a wrong answer, and not be asked again where a pool does not know its member yet.</summary>
    [Fact]
    public void Every_answer_that_is_a_problem_is_a_refusal()
    {
        Type[] problems = [.. typeof(JobProblem).Assembly.GetTypes().Where(type => type.Name.EndsWith("Problem", StringComparison.Ordinal) && type.GetProperty("Problem")?.PropertyType == typeof(Problem))];

        Assert.Equal(5, problems.Length);
        Assert.All(problems, problem => Assert.True(typeof(IRefusal).IsAssignableFrom(problem), problem.Name));
    }
}
