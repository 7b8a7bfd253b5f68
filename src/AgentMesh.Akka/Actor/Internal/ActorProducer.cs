using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Akka.Actor.Internal;

/// <summary>Makes the instances of an actor class; one per <see cref="Props"/>.</summary>
internal abstract class ActorProducer
{
    public abstract Type ActorType { get; }

    public abstract object[] Arguments { get; }

    public static ActorProducer Of(Type type, object[] arguments)
    {
        if (typeof(IIndirectActorProducer).IsAssignableFrom(type))
            return Of((IIndirectActorProducer)Activator.CreateInstance(type, arguments)!, arguments);
        if (!typeof(ActorBase).IsAssignableFrom(type))
            throw new ArgumentException($"{type.FullName} is not an actor class", nameof(type));
        return new ByConstructor(type, arguments, constructor: null);
    }

    public static ActorProducer Of(NewExpression call)
    {
        object[] arguments = new object[call.Arguments.Count];
        for (int i = 0; i < arguments.Length; i++)
            arguments[i] = Evaluate(call.Arguments[i]);
        return new ByConstructor(call.Type, arguments, call.Constructor);
    }

    public static ActorProducer Of(IIndirectActorProducer producer, object[] arguments) => new Indirect(producer, arguments);

    public abstract ActorBase Produce();

    public virtual void Release(ActorBase actor) => (actor as IDisposable)?.Dispose();

    private static object Evaluate(Expression argument) => argument switch
    {
        ConstantExpression constant => constant.Value!,
        MemberExpression { Member: FieldInfo field, Expression: ConstantExpression owner } => field.GetValue(owner.Value)!,
        _ => Expression.Lambda<Func<object>>(Expression.Convert(argument, typeof(object))).Compile(preferInterpretation: true)(),
    };

    private sealed class ByConstructor(Type type, object[] arguments, ConstructorInfo? constructor) : ActorProducer
    {
        private ConstructorInvoker? _invoker = constructor is null ? null : ConstructorInvoker.Create(constructor);

        public override Type ActorType => type;

        public override object[] Arguments => arguments;

        public override ActorBase Produce()
        {
            try
            {
                _invoker ??= ConstructorInvoker.Create(Find());
                return (ActorBase)_invoker.Invoke(arguments.AsSpan()!);
            }
            catch (TargetInvocationException e) when (e.InnerException is not null)
            {
                ExceptionDispatchInfo.Throw(e.InnerException);
                throw;
            }
        }

        private ConstructorInfo Find()
        {
            ConstructorInfo[] candidates = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
            return candidates.FirstOrDefault(Fits)
                ?? throw new MissingMethodException($"{type.FullName} has no constructor for ({string.Join(", ", arguments.Select(a => a?.GetType().Name ?? "null"))})");
        }

        private bool Fits(ConstructorInfo candidate)
        {
            ParameterInfo[] parameters = candidate.GetParameters();
            if (parameters.Length != arguments.Length)
                return false;
            for (int i = 0; i < parameters.Length; i++)
            {
                Type wanted = parameters[i].ParameterType;
                bool fits = arguments[i] is null ? !wanted.IsValueType || Nullable.GetUnderlyingType(wanted) is not null : wanted.IsInstanceOfType(arguments[i]);
                if (!fits)
                    return false;
            }

            return true;
        }
    }

    private sealed class Indirect(IIndirectActorProducer producer, object[] arguments) : ActorProducer
    {
        public override Type ActorType => producer.ActorType;

        public override object[] Arguments => arguments;

        public override ActorBase Produce() => producer.Produce();

        public override void Release(ActorBase actor) => producer.Release(actor);
    }
}
