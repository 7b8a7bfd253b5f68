using AgentMesh.Workers.Calc;

namespace AgentMesh.Workers.Handlers;

internal sealed class CalcHandler : ICommandHandler
{
    public string Name => "calc";

    public string Summary => "compute an expression: calc 2^64 - 1";

    public string Help =>
        "calc EXPRESSION\n" +
        "  + - * / % ^ (or **) !  and parentheses; 2^3^2 is 2^9, -2^2 is -4, -7 % 3 is -1\n" +
        "  whole numbers and fractions stay exact (0.1+0.2 is 0.3, 2^100 has all its digits);\n" +
        "  roots and angles are floating point, angles in radians\n" +
        "  constants: pi e tau\n" +
        $"  functions: {string.Join(' ', CalcFunctions.Names.Order(StringComparer.Ordinal))}";

    public ValueTask<CommandResult> ExecuteAsync(CommandCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new CommandResult(Calculator.Evaluate(call.Arguments)));
}
