using AgentMesh.Errors;
using Microsoft.AspNetCore.Http;

namespace AgentMesh.Node.Control;

/// <summary>Turns a failure into what a client sees. Unexpected ones are shown as bugs, never swallowed.</summary>
internal static class Problems
{
    public static (int Status, ProblemView Problem) Describe(Exception error) => error switch
    {
        MeshException known => (StatusCodes.Status400BadRequest, new ProblemView(known.Code, known.Message, known.NextStep)),
        TimeoutException late => (StatusCodes.Status504GatewayTimeout, new ProblemView("AM0207", late.Message, "try again; 'agentmesh status' shows whether the node is well")),
        _ => (StatusCodes.Status500InternalServerError, new ProblemView("AM0200", $"unexpected failure: {error.GetType().Name}: {error.Message}", "this is a defect: please report it with the node's log")),
    };

    public static MeshException ToException(ProblemView problem) => new(problem.Code, problem.Message, problem.Next);
}
